"""Functions that end or hold up their workers, and who calls them."""

import json

from gateway.tools.ports import ToolCall
from gateway.tools.process import ProcessExecutor

TOOLS = """
import asyncio, faulthandler, os, signal, subprocess, sys, threading, time

def pid():
    return os.getpid()

def raises():
    raise ValueError("planted secret")

def surrogate():
    raise ValueError("\\ud800")

async def forever(started: str):
    open(started, "w").close()
    await asyncio.Event().wait()

async def length(text: str):
    return len(text)

def hang(gate: str):
    open(gate).close()

async def block():
    time.sleep(600)

async def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

def environment():
    with open("/proc/self/environ", "rb") as file:
        return [sorted(os.environ), file.read().decode()]

def files():
    return [os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")]

def session():
    return [os.getsid(0), os.getpid()]

def write():
    print("p" * 1_000_000)
    sys.stdout.write("w" * 1_000_000)
    subprocess.run(["echo", "from a child"])
    os.write(1, b"straight")

def exits(): os._exit(3)
def exits_in_a_thread(): threading.Thread(target=os._exit, args=[4]).start(); time.sleep(600)
async def exits_on_the_loop(): os._exit(5)
def is_killed(): os.kill(os.getpid(), signal.SIGKILL)
def aborts(): os.abort()
def reads_null(): faulthandler._sigsegv()
def exits_later(): threading.Timer(0.05, os._exit, [6]).start()

def socket_of_ours(): return int(sys.argv[1])
def babbles(): os.write(socket_of_ours(), b"\\xff" * 100); time.sleep(600)
def answers_nonsense(): os.write(socket_of_ours(), b"\\0\\0\\0\\1\\0"); time.sleep(600)
def hangs_up(): os.close(socket_of_ours()); time.sleep(600)

def system_exit(): sys.exit(7)
async def system_exit_on_the_loop(): sys.exit(8)
def recurses(): recurses()
async def interrupts(): raise KeyboardInterrupt

TOOL_MAP = {name: value for name, value in list(globals().items())
            if callable(value) and value.__module__ == __name__}
"""


class Caller:
    """Calls the functions of ``TOOLS``, and counts the workers that died."""

    def __init__(self, tenant, **options):
        self.deaths = 0
        self.tenant = tenant
        self.executor = ProcessExecutor(on_death=self._died, **options)

    def _died(self):
        self.deaths += 1

    async def __call__(self, name, **arguments):
        """Run one function."""
        call = ToolCall("call_1", name, json.dumps(arguments), "thread_1", "corr-7")
        return await self.executor.run(self.tenant, self.tenant.default, call)

    async def pid(self):
        """The worker's."""
        return int((await self("pid")).output)


def events(logs, name):
    """The lines of this event."""
    return [line for line in logs if line["event"] == name]
