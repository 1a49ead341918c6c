/* SPDX-License-Identifier: Apache-2.0 */
/* virt_domain.c — the machines of a libvirt: starting, ending, listing them. */
#include "manager/virt/virt_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

enum {
	STOP_TRIES = 150,
	STOP_WAIT_MS = 100,
};

DEFINE_CLEANUP(virDomainPtr, virDomainFree)

void virt_name(const char *name, char out[VIRT_NAME_MAX])
{
	snprintf(out, VIRT_NAME_MAX, "%s", name ? name : "");
	for (char *c = out; *c; c++)
		if (*c < 0x21 || *c > 0x7e)
			*c = '?';
}

int virt_start(struct virt *v, const char *xml, struct err *e)
{
	CLEANUP(virt_unref) virConnectPtr conn = NULL;
	CLEANUP(virDomainFree) virDomainPtr domain = NULL;

	if (virt_take(v, &conn, e) < 0)
		return err_code(e);
	domain = virDomainCreateXML(conn, xml, 0);
	return domain ? 0 : virt_error(conn, e, "start a domain");
}

/* 0 when the domain is gone, 1 when it should be asked for again. */
static int stop_once(virConnectPtr conn, const char *uuid, struct err *e)
{
	CLEANUP(virDomainFree) virDomainPtr domain = virDomainLookupByUUIDString(conn, uuid);
	int code;

	if (domain && virDomainDestroy(domain) == 0)
		return 1;
	code = virGetLastErrorCode();
	if (code == VIR_ERR_NO_DOMAIN)
		return 0;
	/* Known, but not running: it is starting or ending. */
	if (domain && code == VIR_ERR_OPERATION_INVALID)
		return 1;
	return virt_error(conn, e, "stop a domain");
}

int virt_stop(struct virt *v, const char *uuid, struct err *e)
{
	CLEANUP(virt_unref) virConnectPtr conn = NULL;
	const struct timespec pause = { .tv_nsec = STOP_WAIT_MS * 1000000L };

	if (virt_take(v, &conn, e) < 0)
		return err_code(e);
	for (int i = 0; i < STOP_TRIES; i++) {
		int again = stop_once(conn, uuid, e);

		if (again <= 0)
			return again;
		if (i > 0)
			nanosleep(&pause, NULL);
	}
	return err_set(e, ERR_DEADLINE, "libvirt: domain %s does not end", uuid);
}

int virt_forward(struct virt *v, const char *uuid, const char *host, uint16_t port,
		 uint16_t guest_port, struct err *e)
{
	CLEANUP(virt_unref) virConnectPtr conn = NULL;
	CLEANUP(virDomainFree) virDomainPtr domain = NULL;
	CLEANUP(free) char *answer = NULL;
	char command[128];

	if (virt_take(v, &conn, e) < 0)
		return err_code(e);
	domain = virDomainLookupByUUIDString(conn, uuid);
	/* hostnet0: libvirt's name for the back end of the only network card. */
	snprintf(command, sizeof(command), "hostfwd_add hostnet0 tcp:%s:%u-:%u", host, port,
		 guest_port);
	if (!domain || virDomainQemuMonitorCommand(domain, command, &answer,
						   VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP) < 0)
		return virt_error(conn, e, "forward a port");
	/* QEMU says nothing when it worked, and libvirt reports success either way. */
	if (answer && answer[strspn(answer, " \r\n")])
		return err_set(e, strstr(answer, "Could not set up") ? ERR_EXISTS : ERR_INTERNAL,
			       "QEMU: forward port %u: %.200s", port, answer);
	return 0;
}

int virt_size(struct virt *v, const char *uuid, struct virt_size *size, struct err *e)
{
	CLEANUP(virt_unref) virConnectPtr conn = NULL;
	CLEANUP(virDomainFree) virDomainPtr domain = NULL;
	virDomainInfo info;

	if (virt_take(v, &conn, e) < 0)
		return err_code(e);
	domain = virDomainLookupByUUIDString(conn, uuid);
	if (!domain && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
		return err_set(e, ERR_NOT_FOUND, "libvirt has no domain %s", uuid);
	if (!domain || virDomainGetInfo(domain, &info) < 0)
		return virt_error(conn, e, "ask how large a domain is");
	*size = (struct virt_size){ info.nrVirtCpu, info.maxMem < UINT64_MAX >> 10
							    ? (uint64_t)info.maxMem << 10
							    : UINT64_MAX };
	return 0;
}

static int by_uuid(const void *a, const void *b)
{
	return strcmp(((const struct virt_domain *)a)->uuid, ((const struct virt_domain *)b)->uuid);
}

int virt_list(struct virt *v, const char *prefix, struct virt_domain **domains, size_t *count,
	      struct err *e)
{
	CLEANUP(virt_unref) virConnectPtr conn = NULL;
	struct virt_domain *found;
	virDomainPtr *all = NULL;
	size_t n = 0;
	int total;

	if (virt_take(v, &conn, e) < 0)
		return err_code(e);
	total = virConnectListAllDomains(conn, &all, 0);
	if (total < 0)
		return virt_error(conn, e, "list domains");
	found = total > VIRT_DOMAINS_MAX ? NULL : calloc((size_t)total + 1, sizeof(*found));
	for (int i = 0; i < total; i++) {
		const char *name = virDomainGetName(all[i]);

		if (found && name && strncmp(name, prefix, strlen(prefix)) == 0 &&
		    virDomainGetUUIDString(all[i], found[n].uuid) == 0)
			virt_name(name, found[n++].name);
		virDomainFree(all[i]);
	}
	free(all);
	if (!found)
		return err_set(e, ERR_EXHAUSTED, "libvirt: %d domains are too many", total);
	qsort(found, n, sizeof(*found), by_uuid);
	*domains = found;
	*count = n;
	return 0;
}
