# SPDX-License-Identifier: Apache-2.0
"""A log-forwarder that comes before its CVM's agent: a stock guest image starts it first, it opens one stream in its life,
and the service hears what it says once the agent is there (stock_agent.py has the program itself)."""
import grpc

import tap
from computations_service import FORWARDER, agent_of, create, records, run
from harness import Computations, FakeAgent, Folder, authority, credentials, cvms, until


def waits(service, cvm="cvm-1"):
    service.process.wait_line(f"CVM '{cvm}': its log-forwarder waits for its agent")


def texts(service, computation):
    return [record.text for record in records(service, computation)]


def one_that_comes_first_is_heard_when_its_agent_is_there():
    with Folder() as folder, Computations(folder) as service:
        computation = create(service)
        with agent_of(service, metadata=FORWARDER) as forwarder:
            waits(service)
            forwarder.log("", "said before there was an agent")
            with agent_of(service) as agent:
                service.process.wait_line("CVM 'cvm-1' reports from")
                run(service, computation)
                agent.manifest()
                agent.say(run_res=cvms.RunResponse(computation_id=computation))
                service.until_state(computation, "Waiting for Algorithm")
                forwarder.log(computation, "said since")
                forwarder.event(computation, "Running", "InProgress")
                service.until_state(computation, "Running")
                assert "said since" in texts(service, computation)
            assert forwarder.stream.is_active()


def the_newer_one_of_two_waits():
    with Folder() as folder, Computations(folder, MAX_CVMS="1") as service:
        with agent_of(service, metadata=FORWARDER) as older:
            waits(service)
            with agent_of(service, metadata=FORWARDER) as newer:
                assert older.ended() == grpc.StatusCode.ABORTED
                with agent_of(service) as agent:
                    agent.next("agentStateReq")
                    service.process.wait_line("CVM 'cvm-1' reports from")
                    assert newer.stream.is_active()


def one_that_goes_before_its_agent_comes_leaves_nothing():
    with Folder() as folder, Computations(folder, MAX_CVMS="1") as service:
        for cvm in "abc":  # each has the only place there is
            def takes_it(cvm=cvm):
                with agent_of(service, cvm=cvm, metadata=FORWARDER) as forwarder:
                    forwarder.say(agent_log=cvms.AgentLog())
                    return f"CVM '{cvm}': its log-forwarder waits" in service.process.text()
            until(takes_it, f"a place for {cvm}")
        with agent_of(service) as agent:
            agent.next("agentStateReq")
        assert "reports" not in service.process.text()


def one_of_another_key_is_refused_when_the_agent_is_there():
    with Folder() as tls, Folder() as folder:
        authority(tls)
        with Computations(folder, tls, client_ca=True) as service:
            address = f"localhost:{service.port}"
            with FakeAgent(address, "a", credentials(tls, "other-client"), metadata=FORWARDER) as strange, \
                    FakeAgent(address, "a", credentials(tls, "client"), metadata=FORWARDER) as own:
                until(lambda: service.process.text().count("waits for its agent") == 2, "both of them wait")
                with FakeAgent(address, "a", credentials(tls, "client")) as agent:
                    agent.next("agentStateReq")
                    assert strange.ended() == grpc.StatusCode.PERMISSION_DENIED
                    service.process.wait_line("CVM 'a' reports from")
                    assert own.stream.is_active()


def the_service_ends_with_one_that_waits():
    with Folder() as folder, Computations(folder) as service, agent_of(service, metadata=FORWARDER) as forwarder:
        waits(service)
        assert service.process.stop() == 0
        assert forwarder.ended() == grpc.StatusCode.UNAVAILABLE


if __name__ == "__main__":
    tap.run([one_that_comes_first_is_heard_when_its_agent_is_there, the_newer_one_of_two_waits,
             one_that_goes_before_its_agent_comes_leaves_nothing,
             one_of_another_key_is_refused_when_the_agent_is_there, the_service_ends_with_one_that_waits])
