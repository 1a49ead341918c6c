/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/virt_host.h"

#include "common/base/cleanup.h"

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <string.h>

DEFINE_CLEANUP(xmlDocPtr, xmlFreeDoc)
DEFINE_CLEANUP(xmlXPathContextPtr, xmlXPathFreeContext)
DEFINE_CLEANUP(xmlXPathObjectPtr, xmlXPathFreeObject)

#define GUEST "/capabilities/guest[os_type='hvm']/arch[@name='x86_64']"
#define LABEL "/capabilities/host/secmodel[model='dac']/baselabel"

/* The word stands in a line "flags : …". */
static bool cpu_has(const char *cpuinfo, const char *word)
{
	const char *line = strstr(cpuinfo, "\nflags");
	const char *end = line ? strchr(line + 1, '\n') : NULL;
	size_t len = strlen(word);

	for (const char *at = line; at && (at = strstr(at, word)) && (!end || at < end); at += len)
		if (at[-1] == ' ' && (at[len] == ' ' || at[len] == '\n' || !at[len]))
			return true;
	return false;
}

static bool find(xmlXPathContextPtr context, const char *path)
{
	CLEANUP(xmlXPathFreeObject) xmlXPathObjectPtr found =
		xmlXPathEvalExpression(BAD_CAST path, context);

	return found && !xmlXPathNodeSetIsEmpty(found->nodesetval);
}

/* "+64055:+64055": numbers behind plus signs. Absent where libvirt keeps no other user for QEMU. */
static int read_owner(xmlXPathContextPtr context, struct virt_host *host, struct err *e)
{
	CLEANUP(xmlXPathFreeObject) xmlXPathObjectPtr found = xmlXPathEvalExpression(
		BAD_CAST(host->kvm ? LABEL "[@type='kvm']" : LABEL "[@type='qemu']"), context);
	CLEANUP(free) xmlChar *text = NULL;
	unsigned uid, gid;
	char rest;

	if (!found || xmlXPathNodeSetIsEmpty(found->nodesetval))
		return 0;
	text = xmlXPathCastNodeSetToString(found->nodesetval);
	if (!text || sscanf((const char *)text, "+%u:+%u%c", &uid, &gid, &rest) != 2)
		return err_set(e, ERR_INTERNAL, "libvirt's capabilities: QEMU's user '%s' is not "
						"+uid:+gid", text ? (const char *)text : "");
	host->has_owner = true;
	host->uid = uid;
	host->gid = gid;
	return 0;
}

int virt_host_read(const char *capabilities, const char *cpuinfo, struct virt_host *host,
		   struct err *e)
{
	CLEANUP(xmlFreeDoc) xmlDocPtr doc =
		xmlReadMemory(capabilities, (int)strlen(capabilities), "capabilities.xml", NULL,
			      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	CLEANUP(xmlXPathFreeContext) xmlXPathContextPtr context =
		doc ? xmlXPathNewContext(doc) : NULL;
	struct virt_host read = { 0 };

	if (!context)
		return err_set(e, ERR_INTERNAL, "libvirt's capabilities can't be read");
	read.kvm = (cpu_has(cpuinfo, "svm") || cpu_has(cpuinfo, "vmx")) &&
		   find(context, GUEST "/domain[@type='kvm']");
	if (read_owner(context, &read, e) < 0)
		return -(int)e->code;
	*host = read;
	return 0;
}
