# SPDX-License-Identifier: Apache-2.0
"""cocos-computations with its records on a PostgreSQL server, which the test starts, and kills."""
import base64
import contextlib
import http.client
import json
import os
import signal
import sys
import threading

import grpc

import tap
from host_check import check, failed, service_settings
from computations_service import create, identifiers
from harness import PATIENCE, Computations, Folder, Process, computations, health, health_grpc, program, spki, until
from ports import free_port

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from postgres import Postgres  # pylint: disable=wrong-import-position

KILLS = 4


@contextlib.contextmanager
def service_on_postgres():
    server = Postgres()
    try:
        with Folder() as folder, Computations(folder, DATABASE=server.place) as service:
            yield server, service
    finally:
        server.close()


def try_create(service, **fields):
    """None, or why not."""
    try:
        create(service, **fields)
    except grpc.RpcError as error:
        return error
    return None


def records_are_on_the_server():
    with service_on_postgres() as (server, service):
        made = create(service)
        assert server.sql("SELECT id FROM cocos_computations.computations") == made
        service.process.stop()
        service.start()
        assert identifiers(service) == {made}


def of_a_document_each_computation_stands_by_itself():
    """Savepoints in savepoints: one that is refused undoes itself alone, and a preview all."""
    key = base64.b64encode(spki()[0]).decode()
    document = json.dumps([{"name": name, "id": name, "algorithm": {"hash": digest, "user_key": key}}
                           for name, digest in (("one", "ab" * 32), ("two", "cd" * 32), ("one", "ef" * 32))]).encode()
    with service_on_postgres() as (_, service):
        for preview in (True, False):
            answer = service.admin.Import(computations.ImportRequest(document=document, preview=preview))
            assert [c.created for c in answer.computations] == [True, True, False], answer
            assert "exists already" in answer.computations[2].missing
            assert identifiers(service) == (set() if preview else {"one", "two"})
        exported = service.admin.Export(computations.ExportRequest(ids=["two", "one"])).document
        assert [c["computation"]["id"] for c in json.loads(exported)] == ["two", "one"]


def one_service_uses_it_at_a_time():
    with service_on_postgres() as (server, _), Folder() as other:
        second = Process([program("cocos-computations")],
                         environment={"COMPUTATIONS_STATE_DIR": other("state"), "COMPUTATIONS_DATABASE": server.place,
                                      "COMPUTATIONS_ADMIN_SOCKET": other("socket"), "COMPUTATIONS_GRPC_PORT": "0"})
        second.wait_line("another service uses the PostgreSQL database")
        assert second.end() == 1, second.text()


def nothing_acknowledged_is_lost_when_the_server_is_killed():
    """While it is gone each call says so in a line, and changes nothing; then it goes on."""
    with service_on_postgres() as (server, service):
        made, unanswered, stop = [], [], threading.Event()

        def create_more():
            number = 0
            while not stop.is_set():
                number += 1
                why = try_create(service, id=f"c{number}")
                (unanswered if why else made).append((f"c{number}", why))

        worker = threading.Thread(target=create_more)
        worker.start()
        try:
            for _ in range(KILLS):
                before = len(made)
                until(lambda before=before: len(made) > before + 5, "computations")
                failed = len(unanswered)
                server.stop(signal.SIGQUIT)
                until(lambda failed=failed: len(unanswered) > failed, "a refusal")
                server.start()
                before = len(made)
                until(lambda before=before: len(made) > before, "computations again", seconds=PATIENCE)
        finally:  # a test that fails ends, too
            stop.set()
            worker.join()
        doubtful = set()
        for name, why in unanswered:
            assert "PostgreSQL database" in why.details() and "\n" not in why.details(), why.details()
            # Its answer was lost, and the server away for too long to be asked.
            if why.code() == grpc.StatusCode.UNKNOWN and "not known" in why.details():
                doubtful.add(name)
            else:
                assert why.code() == grpc.StatusCode.UNAVAILABLE, f"{name}: {why.code()}: {why.details()}"
        # UNAVAILABLE says that nothing was kept.
        known, kept = identifiers(service), {name for name, _ in made}
        assert kept <= known <= kept | doubtful, (kept - known, known - kept - doubtful)


def readiness(port, path="/readyz"):
    """(status, line)"""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode().rstrip("\n")
    finally:
        connection.close()


def without_its_server_it_is_not_ready():
    """By itself, while nobody calls: at /readyz and by gRPC's health check of each front; and again when the server is back."""
    port, serving = free_port(), health.HealthCheckResponse
    server = Postgres()
    try:
        with Folder() as folder, Computations(folder, DATABASE=server.place, METRICS=f"127.0.0.1:{port}") as service, \
                grpc.insecure_channel(f"127.0.0.1:{service.port}") as agents:
            fronts = [(agents, ("", "cvms.Service")),
                      (service.channel, ("", "computations.ComputationService", "people.PeopleService"))]

            def says(status, number, up):
                answer = readiness(port)
                told = {health_grpc.HealthStub(channel).Check(health.HealthCheckRequest(service=name), timeout=PATIENCE).status
                        for channel, names in fronts for name in names}
                metric = f"cocos_computations_database_up {up}\n" in readiness(port, "/metrics")[1]
                return answer if (answer[0], told, metric) == (status, {number}, True) else None

            assert until(lambda: says(200, serving.SERVING, 1), "that it serves")[1] == "serving"
            for number in (signal.SIGQUIT, signal.SIGINT):
                server.stop(number)
                line = until(lambda: says(503, serving.NOT_SERVING, 0), "that it does not serve")[1]
                assert line.startswith("the database does not answer: ") and "\n" not in line, line
                server.start()
                assert until(lambda: says(200, serving.SERVING, 1), "that it serves again")[1] == "serving"
            assert try_create(service) is None
    finally:
        server.close()


def one_on_a_file_has_no_server_to_lose():
    port = free_port()
    with Folder() as folder, Computations(folder, METRICS=f"127.0.0.1:{port}"):
        assert readiness(port) == (200, "serving") and "database_up" not in readiness(port, "/metrics")[1]


def a_server_that_takes_no_writes_is_said_so():
    with service_on_postgres() as (server, service):
        made = create(service)
        server.sql("CREATE FUNCTION public.full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                   " RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;"
                   "CREATE TRIGGER is_full BEFORE INSERT ON cocos_computations.computations"
                   " FOR EACH ROW EXECUTE FUNCTION public.full()")
        why = try_create(service)
        assert why.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and "No space left" in why.details(), why
        assert identifiers(service) == {made}
        server.sql("DROP TRIGGER is_full ON cocos_computations.computations")
        assert try_create(service) is None


def check_looks_at_it_and_changes_nothing():
    server = Postgres()
    try:
        with Folder() as folder:
            status, answer = check("cocos-computations", {**service_settings(folder), "COMPUTATIONS_DATABASE": server.place})
            assert status == 0 and failed(answer) == [] and "made at the start" in answer["database"]["found"], answer
            assert server.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'cocos_computations'") == "0"
            server.sql("CREATE SCHEMA cocos_computations; CREATE TABLE cocos_computations.cocos_form (form BIGINT);"
                       "INSERT INTO cocos_computations.cocos_form VALUES (99)")
            status, answer = check("cocos-computations", {**service_settings(folder), "COMPUTATIONS_DATABASE": server.place})
            assert status == 1 and failed(answer) == ["database"], answer
            server.stop()
            status, answer = check("cocos-computations", {**service_settings(folder), "COMPUTATIONS_DATABASE": server.place})
            assert status == 1 and failed(answer) == ["database"], answer
            row = answer["database"]  # libpq says it in two lines
            assert "? " not in row["found"] and "On a server: start it" in row["remedy"], row
    finally:
        server.close()


if __name__ == "__main__":
    tap.run([records_are_on_the_server,
             of_a_document_each_computation_stands_by_itself, one_service_uses_it_at_a_time,
             nothing_acknowledged_is_lost_when_the_server_is_killed, without_its_server_it_is_not_ready,
             one_on_a_file_has_no_server_to_lose, a_server_that_takes_no_writes_is_said_so,
             check_looks_at_it_and_changes_nothing])
