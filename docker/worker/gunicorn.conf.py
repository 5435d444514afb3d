"""How gunicorn runs model_service:app; it reads this file by itself when started in this folder."""

import os

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '5000')}"

# One process with one model: sluice counts on `concurrency` of the pool, and scales by replicas.
# The threads let /health answer while a prediction is made.
workers = 1
worker_class = "gthread"
threads = 4

# The model is loaded by a thread, and threads do not live through a fork.
preload_app = False

# Seconds an idle connection is kept. sluice's own default, 1.5 s, lies below this one, so that
# sluice is always the one who closes; raise both together (`keepAlive` of the pool).
keepalive = 2

timeout = 60
graceful_timeout = 30

# Newer versions open a socket in the home folder for a command-line tool; a container's root file
# system is read-only, and nobody asks.
control_socket_disable = True
