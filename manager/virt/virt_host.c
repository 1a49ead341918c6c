/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/virt/virt_host.h"

#include "common/base/cleanup.h"

#include <cpuid.h>
#include <string.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>

DEFINE_CLEANUP(xmlDocPtr, xmlFreeDoc)
DEFINE_CLEANUP(xmlXPathContextPtr, xmlXPathFreeContext)
DEFINE_CLEANUP(xmlXPathObjectPtr, xmlXPathFreeObject)
DEFINE_CLEANUP(xmlBufferPtr, xmlBufferFree)

#define GUEST "/capabilities/guest[os_type='hvm']/arch[@name='x86_64']"
#define TEES  "/domainCapabilities/features/launchSecurity[@supported='yes']/enum[@name='sectype']"
#define SEV   "/domainCapabilities/features/sev[@supported='yes']"
#define CPU   "/capabilities/host/cpu"
#define UUID  "/capabilities/host/uuid"
#define LABEL "/capabilities/host/secmodel[model='dac']/baselabel"

static xmlDocPtr parse(const char *xml)
{
	return xmlReadMemory(xml, (int)strlen(xml), "capabilities.xml", NULL,
			     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
}

bool virt_cpu(void)
{
	/* AMD's APM, volume 3, appendix E.4.1; Intel's SDM, volume 2, CPUID. */
	enum { SVM = 1 << 2, VMX = 1 << 5 };
	unsigned a, b, c, d;

	return (__get_cpuid(0x80000001, &a, &b, &c, &d) && (c & SVM)) ||
	       (__get_cpuid(1, &a, &b, &c, &d) && (c & VMX));
}

static bool find(xmlXPathContextPtr context, const char *path)
{
	CLEANUP(xmlXPathFreeObject)
	xmlXPathObjectPtr found = xmlXPathEvalExpression(BAD_CAST path, context);

	return found && !xmlXPathNodeSetIsEmpty(found->nodesetval);
}

/* Nobody has the last number: to chown() it says that nothing is to change. The widest address has 64 bits. */
enum { BITS_MAX = 63 };
static const uint32_t id_max = UINT32_MAX - 1;

/* Digits alone, of a number up to `most`, behind `text`. NULL: there is none. */
static const char *take_number(const char *text, uint32_t most, unsigned *number)
{
	const char *at = text;
	uint64_t value = 0;

	for (; *at >= '0' && *at <= '9'; at++) {
		value = value * 10 + (uint64_t)(*at - '0');
		if (value > most)
			return NULL;
	}
	*number = (unsigned)value;
	return at == text ? NULL : at;
}

static bool take_owner(const char *text, struct virt_host *host)
{
	unsigned uid, gid;

	if (*text != '+' || !(text = take_number(text + 1, id_max, &uid)) || text[0] != ':' ||
	    text[1] != '+' || !(text = take_number(text + 2, id_max, &gid)) || *text)
		return false;
	host->has_owner = true;
	host->uid = uid;
	host->gid = gid;
	return true;
}

/* "+64055:+64055": numbers after plus signs. Absent if libvirt has no separate user for QEMU. */
static int read_owner(xmlXPathContextPtr context, struct virt_host *host, struct err *e)
{
	CLEANUP(xmlXPathFreeObject)
	xmlXPathObjectPtr found = xmlXPathEvalExpression(
		BAD_CAST(host->kvm ? LABEL "[@type='kvm']" : LABEL "[@type='qemu']"), context);
	CLEANUP(free) xmlChar *text = NULL;

	if (!found || xmlXPathNodeSetIsEmpty(found->nodesetval))
		return 0;
	text = xmlXPathCastNodeSetToString(found->nodesetval);
	if (!text || !take_owner((const char *)text, host))
		return err_set(e, ERR_INTERNAL,
			       "libvirt's capabilities: QEMU's user '%s' is not "
			       "+uid:+gid",
			       text ? (const char *)text : "");
	return 0;
}

/* Of the form that libvirt writes; anything else is none. */
static void read_uuid(xmlXPathContextPtr context, struct virt_host *host)
{
	CLEANUP(xmlXPathFreeObject)
	xmlXPathObjectPtr found = xmlXPathEvalExpression(BAD_CAST UUID, context);
	CLEANUP(free) xmlChar *text = NULL;

	if (!found || xmlXPathNodeSetIsEmpty(found->nodesetval))
		return;
	text = xmlXPathCastNodeSetToString(found->nodesetval);
	if (text && strlen((const char *)text) == VIRT_UUID_LEN &&
	    strspn((const char *)text, "0123456789abcdef-") == VIRT_UUID_LEN)
		memcpy(host->uuid, text, VIRT_UUID_LEN + 1);
}

static int read_capabilities(const struct virt_host_sources *sources, struct virt_host *host,
			     struct err *e)
{
	CLEANUP(xmlFreeDoc) xmlDocPtr doc = parse(sources->capabilities);
	CLEANUP(xmlXPathFreeContext)
	xmlXPathContextPtr context = doc ? xmlXPathNewContext(doc) : NULL;

	if (!context)
		return err_set(e, ERR_INTERNAL, "libvirt's capabilities can't be read");
	read_uuid(context, host);
	host->kvm = sources->virtualizes && find(context, GUEST "/domain[@type='kvm']");
	return read_owner(context, host, e);
}

/* Module parameters of type bool read "Y" or "1". */
static bool is_on(const char *parameter)
{
	return parameter && (*parameter == 'Y' || *parameter == '1');
}

static bool read_bits(xmlXPathContextPtr context, const char *path, unsigned *number)
{
	CLEANUP(xmlXPathFreeObject)
	xmlXPathObjectPtr found = xmlXPathEvalExpression(BAD_CAST path, context);
	CLEANUP(free) xmlChar *text = NULL;
	const char *end;

	if (!found || xmlXPathNodeSetIsEmpty(found->nodesetval))
		return false;
	text = xmlXPathCastNodeSetToString(found->nodesetval);
	end = text ? take_number((const char *)text, BITS_MAX, number) : NULL;
	return end && !*end;
}

static int read_tees(const struct virt_host_sources *sources, struct virt_host *host, struct err *e)
{
	CLEANUP(xmlFreeDoc) xmlDocPtr doc = parse(sources->domain_capabilities);
	CLEANUP(xmlXPathFreeContext)
	xmlXPathContextPtr context = doc ? xmlXPathNewContext(doc) : NULL;

	if (!context)
		return err_set(e, ERR_INTERNAL, "libvirt's domain capabilities can't be read");
	host->snp = is_on(sources->kvm_amd_snp) && find(context, TEES "[value='sev-snp']") &&
		    read_bits(context, SEV "/cbitpos", &host->cbitpos) &&
		    read_bits(context, SEV "/reducedPhysBits", &host->reduced_phys_bits);
	host->tdx = is_on(sources->kvm_intel_tdx) && find(context, TEES "[value='tdx']");
	return 0;
}

int virt_host_read(const struct virt_host_sources *sources, struct virt_host *host, struct err *e)
{
	struct virt_host read = { 0 };

	if (read_capabilities(sources, &read, e) < 0)
		return err_code(e);
	if (read.kvm && sources->domain_capabilities && read_tees(sources, &read, e) < 0)
		return err_code(e);
	*host = read;
	return 0;
}

int virt_host_cpu(const char *capabilities, char **xml, struct err *e)
{
	CLEANUP(xmlFreeDoc) xmlDocPtr doc = parse(capabilities);
	CLEANUP(xmlXPathFreeContext)
	xmlXPathContextPtr context = doc ? xmlXPathNewContext(doc) : NULL;
	CLEANUP(xmlXPathFreeObject)
	xmlXPathObjectPtr found = context ? xmlXPathEvalExpression(BAD_CAST CPU, context) : NULL;
	CLEANUP(xmlBufferFree) xmlBufferPtr buffer = xmlBufferCreate();

	if (!found || xmlXPathNodeSetIsEmpty(found->nodesetval))
		return err_set(e, ERR_NOT_FOUND, "libvirt's capabilities name no CPU");
	if (!buffer || xmlNodeDump(buffer, doc, found->nodesetval->nodeTab[0], 0, 0) < 0)
		return err_nomem(e);
	*xml = strdup((const char *)xmlBufferContent(buffer));
	return *xml ? 0 : err_nomem(e);
}
