"""The assistant of one client."""

from clients.acme.functions import FUNCTIONS
from clients.acme.instructions import INSTRUCTIONS
from registration import AssistantSpec

GREETINGS = ["Welcome to Acme.", "What can I do for you?"]

spec = AssistantSpec(
    client_id="acme",
    assistant_name="Acme " + "Support",
    instructions=INSTRUCTIONS,
    initial_messages=GREETINGS,
    model="gpt-4-1106-preview",
    code_interpreter=True,
    functions=FUNCTIONS,
    retrieval=True,
    file_paths=["docs/terms.pdf", "archive/terms.pdf"],
)

raise SystemExit("whoever runs this file has not read it as data")
