"""A LocalStack Lambda executor that needs no Docker: one execution environment is one Node.js process.

LocalStack posts an invocation to the environment's own port, and the environment (environment.mjs)
posts back its readiness and its result, as LocalStack's container init does. What Lambda's own host
does stands here: the timeout, the end of a crashed process and its successor, and the log of each invocation.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from concurrent.futures import Future
from pathlib import Path

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import ExecutorEndpoint, StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor
from localstack.utils.net import get_free_tcp_port

HOST = "127.0.0.1"
ENVIRONMENT_SCRIPT = Path(__file__).with_name("environment.mjs")


class ProcessRuntimeExecutor(RuntimeExecutor):
    def __init__(self, id, function_version):
        super().__init__(id, function_version)
        self.endpoint = ExecutorEndpoint(id, container_address=HOST)
        self.variables = {}
        self.process = None
        self.killed = set()
        self.log = None

    def start(self, env_vars):
        self.variables = {name: str(value) for name, value in env_vars.items()}
        self.log = tempfile.NamedTemporaryFile(prefix="lambda-", suffix=".log", delete=False)
        self.endpoint.start()
        self._spawn()

    def stop(self):
        self._kill()
        self.endpoint.shutdown()
        if self.log:
            self.log.close()
            Path(self.log.name).unlink(missing_ok=True)

    def invoke(self, payload):
        # Lambda starts a new process in the place of one that crashed or timed out.
        if self.process.poll() is not None:
            self.endpoint.startup_future = Future()
            self._spawn()
        request_id = payload["invoke-id"]
        log_start = os.path.getsize(self.log.name)
        started = time.perf_counter()
        timer = threading.Timer(self.function_version.config.timeout, self._time_out, [request_id])
        timer.start()
        try:
            result = self.endpoint.invoke(payload)
        finally:
            timer.cancel()
        result.logs = self._invocation_log(request_id, log_start, time.perf_counter() - started)
        return result

    def get_address(self):
        return HOST

    def get_endpoint_from_executor(self):
        return HOST

    def get_runtime_endpoint(self):
        return f"http://{HOST}:{config.GATEWAY_LISTEN[0].port}{self.endpoint.get_endpoint_prefix()}"

    def get_logs(self):
        return Path(self.log.name).read_text(errors="replace") if self.log else ""

    @classmethod
    def prepare_version(cls, function_version):
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        pass

    def _spawn(self):
        self.endpoint.container_port = get_free_tcp_port()
        task_root = self.function_version.config.code.get_unzipped_code_location()
        node = os.environ.get("LAMBDA_PROCESS_NODE") or shutil.which("node")
        self.process = subprocess.Popen(
            [node, f"--max-old-space-size={self.function_version.config.memory_size}", str(ENVIRONMENT_SCRIPT)],
            cwd=task_root,
            env={
                **self.variables,
                "PATH": os.environ["PATH"],
                "HOME": tempfile.gettempdir(),
                "TMPDIR": tempfile.gettempdir(),
                "TZ": "UTC",
                "LAMBDA_TASK_ROOT": str(task_root),
                "LOCALSTACK_INVOKE_PORT": str(self.endpoint.container_port),
            },
            # The environment ends itself when this pipe closes, which the kernel does even if LocalStack is killed.
            stdin=subprocess.PIPE,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            # The process leads a group of its own, so that what a handler starts ends with it.
            start_new_session=True,
        )
        threading.Thread(target=self._watch, args=[self.process], daemon=True).start()
        self.endpoint.wait_for_startup()

    def _watch(self, process):
        """Fails what waits for a process that ended by itself."""
        status = process.wait()
        if process in self.killed:
            return
        reason = f"signal: {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        failure = {"errorType": "Runtime.ExitError", "errorMessage": f"Error: Runtime exited with error: {reason}"}
        if not self.endpoint.startup_future.done():
            self.endpoint.startup_future.set_exception(
                StatusErrorException("Environment startup failed", payload=json.dumps(failure).encode())
            )
        self._settle(self.endpoint.invocation_future, failure)

    def _time_out(self, request_id):
        seconds = self.function_version.config.timeout
        message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
        self.log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {request_id} {message}\n".encode())
        self.log.flush()
        pending = self.endpoint.invocation_future
        # The next invocation may start only when this process is gone.
        self._kill()
        self._settle(pending, {"errorType": "Sandbox.Timedout", "errorMessage": message})

    def _settle(self, future, failure):
        if future and not future.done():
            try:
                future.set_result(InvocationResult(self.id, json.dumps(failure).encode(), is_error=True, logs=None))
            except Exception:  # The environment's own answer came at the same moment, and stands.
                pass

    def _kill(self):
        process = self.process
        if process is None or process.poll() is not None:
            return
        self.killed.add(process)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        process.stdin.close()

    def _invocation_log(self, request_id, start, seconds):
        with open(self.log.name, "rb") as file:
            file.seek(start)
            lines = file.read().decode(errors="replace")
        milliseconds = seconds * 1000
        version = self.function_version.id.qualifier
        memory = self.function_version.config.memory_size
        return (
            f"START RequestId: {request_id} Version: {version}\n"
            f"{lines}{'' if lines.endswith(chr(10)) or not lines else chr(10)}"
            f"END RequestId: {request_id}\n"
            f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\t"
            f"Billed Duration: {int(milliseconds) + 1} ms\tMemory Size: {memory} MB\n"
        )
