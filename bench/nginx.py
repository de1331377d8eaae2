"""nginx as a plain proxy: what a proxy costs that looks at nothing."""

import os
import shutil
from urllib.parse import urlsplit

from bench.site import Command, MissingPeerError, Site

_SEARCHED = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
_CONFIGURATION = """\
{user}worker_processes 1;
worker_rlimit_nofile 16384;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000;
  upstream simulator {{ server {simulator}; keepalive 64; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location / {{
      proxy_pass http://simulator;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 120s;
    }}
  }}
}}
"""


def prepare(site: Site) -> Command:
    """Write its configuration.

    Raises:
        MissingPeerError: there is no nginx on this machine.
    """
    program = shutil.which("nginx", path=_SEARCHED)
    if program is None:
        raise MissingPeerError("nginx is not installed (Debian: apt-get install nginx)")
    configuration = site.folder / "nginx.conf"
    configuration.write_text(_configuration(site), encoding="utf-8")
    log = str(site.folder / "error.log")
    arguments = ("-p", str(site.folder), "-e", log, "-c", str(configuration), "-g", "daemon off;")
    return Command((program, *arguments))


def _configuration(site: Site) -> str:
    # A superuser's workers would become nobody, who may not write to the folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    simulator = urlsplit(site.upstream).netloc
    return _CONFIGURATION.format(user=user, folder=site.folder, port=site.port, simulator=simulator)
