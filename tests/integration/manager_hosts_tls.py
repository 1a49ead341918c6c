# SPDX-License-Identifier: Apache-2.0
"""One manager and a host that it reaches by qemu+tls://, with certificates of both: what a machine elsewhere is. Nobody gets in
with another authority's, and no other machine is taken for it."""
import os
import shutil
import stat

import grpc

import libvirt_room as room
import tap
from harness import Folder, authority, read, until
from host_check import check
from libvirt_hosts import Host, bus
from manager_hosts import Fleet, created, hosts
from manager_libvirt import refused

PORT = 16514


class TlsHost(Host):
    """Of the certificates in that folder, which are good for localhost."""

    def __init__(self, number, certificates):
        super().__init__(number)
        for name in ("ca.pem", "server.pem", "server-key.pem"):
            shutil.copy(certificates(name), self.folder)
        self.options = "--listen"
        with open(self.folder + "/libvirtd.conf", "a", encoding="ascii") as file:
            file.write(f'listen_tls = 1\nlisten_tcp = 0\nlisten_addr = "127.0.0.1"\ntls_port = "{PORT}"\nauth_tls = "none"\n'
                       f'ca_file = "{self.folder}/ca.pem"\ncert_file = "{self.folder}/server.pem"\n'
                       f'key_file = "{self.folder}/server-key.pem"\n')
        self.uri = self.uri_with(client_of([certificates], certificates))

    @staticmethod
    def uri_with(folder):
        return f"qemu+tls://localhost:{PORT}/system?pkipath={folder}"


def client_of(authorities, certificates):
    """A folder as libvirt has them: whom it believes, and who it is."""
    folder = certificates(f"pki-{len(authorities)}")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "cacert.pem"), "wb") as file:
        file.writelines(read(each("ca.pem")) for each in authorities)
    for name in ("cert", "key"):
        shutil.copy(certificates("client.pem" if name == "cert" else "client-key.pem"), os.path.join(folder, f"client{name}.pem"))
    return folder


def cvms_live_there_and_outlive_the_manager():
    with Folder() as folder, Fleet(folder) as m:
        made = [until(lambda: created(m, agent_certs_token="s3cret"), "a CVM").cvm_id for _ in range(2)]
        m.assert_as_recorded()
        path = os.path.join(hosts[0].pool, f"cocos-{made[0]}.img")
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and not os.listdir(m.secrets)
        m.kill()
        m.start()
        until(lambda: m.states() == ["running"] * 2, "both of them")
        hosts[0].kill()
        until(lambda: m.states() == ["lost"] * 2, "that the host is lost")
        hosts[0].start()
        until(lambda: m.states() == ["running"] * 2, "both of them again")
        m.remove_all()


def host_row(m):
    return check("cocos-manager", {f"MANAGER_{key}": value for key, value in m.settings.items()})[1][f"host {hosts[0].name}"]


def who_has_another_authoritys_certificate_gets_nowhere():
    good = hosts[0].uri
    with Folder() as folder, Folder() as other:
        authority(other)
        m = Fleet(folder)
        until(lambda: host_row(m)["outcome"] == "ok", "that it is well")  # after 20 s a host is given up
        for whom in ([GOOD, other], [other]):  # a stranger to the host; and one to whom the host is a stranger
            hosts[0].uri = TlsHost.uri_with(client_of(whom, other))
            m.rows()
            row = host_row(m)
            print("#", row["found"])
            assert row["outcome"] == "failed", row
            super(Fleet, m).start()
            try:
                refused(grpc.StatusCode.UNAVAILABLE, m.create)
                assert not hosts[0].volumes()
            finally:
                m.stop()
                hosts[0].uri = good
        m.rows()
        with m:
            until(lambda: created(m), "a CVM")
            m.remove_all()


if __name__ == "__main__":
    room.enter(alone=True)
    with Folder() as GOOD:
        authority(GOOD)
        started = [bus()]
        hosts.append(TlsHost(1, GOOD).start().furnish())
        tap.run([cvms_live_there_and_outlive_the_manager, who_has_another_authoritys_certificate_gets_nowhere])
