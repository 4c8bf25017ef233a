"""Runs LocalStack until its standard input ends, so that it never outlives the process that started it.

The kernel closes the pipe even when that process is killed without a chance to clean up.
"""

import functools
import os
import shutil
import signal
import threading


def end_with_input():
    while os.read(0, 4096):
        pass
    # An orderly shutdown takes up to ten seconds and saves nothing: the state is thrown away,
    # and each function's process ends when its own pipe closes.
    shutil.rmtree(os.environ["LOCALSTACK_RUN_FOLDER"], ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def keep_objects_in_run_folder():
    """LocalStack keeps objects in one fixed folder, which two of them would share and neither would remove."""
    from localstack.services.s3 import provider

    provider.DEFAULT_S3_TMP_DIR = os.path.join(os.environ["LOCALSTACK_RUN_FOLDER"], "s3")


def listen_on_loopback_only():
    """LocalStack takes only the port from GATEWAY_LISTEN, and would let in whoever reaches this machine."""
    from twisted.internet import endpoints

    endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")


if __name__ == "__main__":
    threading.Thread(target=end_with_input, daemon=True).start()
    keep_objects_in_run_folder()
    listen_on_loopback_only()
    from localstack.runtime.main import main

    main()
