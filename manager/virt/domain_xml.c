/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/virt/domain_xml.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/manifest/bootdisk.h"

#include <string.h>
#include <libxml/xmlwriter.h>

DEFINE_CLEANUP(xmlTextWriterPtr, xmlFreeTextWriter)
DEFINE_CLEANUP(xmlBufferPtr, xmlBufferFree)

#define QEMU_NAMESPACE "http://libvirt.org/schemas/domain/qemu/1.0"

/* libxml2's writer with one sticky failure instead of a return value for each call. */
struct xml {
	xmlTextWriterPtr out;
	bool bad;
};

static void open_tag(struct xml *x, const char *name)
{
	x->bad |= xmlTextWriterStartElement(x->out, BAD_CAST name) < 0;
}

static void close_tag(struct xml *x)
{
	x->bad |= xmlTextWriterEndElement(x->out) < 0;
}

static void attribute(struct xml *x, const char *name, const char *value)
{
	x->bad |= xmlTextWriterWriteAttribute(x->out, BAD_CAST name, BAD_CAST value) < 0;
}

/* <name key="value"…/>, pairs ending with NULL. */
static void __attribute__((sentinel)) empty_tag(struct xml *x, const char *name, ...)
{
	va_list pairs;
	const char *key;

	open_tag(x, name);
	va_start(pairs, name);
	while ((key = va_arg(pairs, const char *)))
		attribute(x, key, va_arg(pairs, const char *));
	va_end(pairs);
	close_tag(x);
}

static void text_tag(struct xml *x, const char *name, const char *text)
{
	x->bad |= xmlTextWriterWriteElement(x->out, BAD_CAST name, BAD_CAST text) < 0;
}

static void __attribute__((format(printf, 3, 4))) number_tag(struct xml *x, const char *name,
							     const char *fmt, ...)
{
	char text[32];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text_tag(x, name, text);
}

static void write_snp(struct xml *x, const struct domain_spec *spec)
{
	const struct domain_snp *snp = &spec->snp;

	open_tag(x, "launchSecurity");
	attribute(x, "type", "sev-snp");
	if (!spec->igvm) /* an IGVM file holds its kernel itself */
		attribute(x, "kernelHashes", "yes");
	number_tag(x, "cbitpos", "%u", snp->cbitpos);
	number_tag(x, "reducedPhysBits", "%u", snp->reduced_phys_bits);
	number_tag(x, "policy", "0x%016llx", (unsigned long long)snp->policy);
	if (snp->id_block) {
		text_tag(x, "idBlock", snp->id_block);
		text_tag(x, "idAuth", snp->id_auth);
	}
	text_tag(x, "hostData", snp->host_data);
	close_tag(x);
}

static void write_snp_memory(struct xml *x)
{
	open_tag(x, "memoryBacking");
	empty_tag(x, "source", "type", "memfd", NULL);
	empty_tag(x, "access", "mode", "shared", NULL);
	close_tag(x);
}

static void write_tdx(struct xml *x, const struct domain_spec *spec)
{
	const struct domain_tdx *tdx = &spec->tdx;

	open_tag(x, "launchSecurity");
	attribute(x, "type", "tdx");
	if (tdx->has_policy)
		number_tag(x, "policy", "0x%016llx", (unsigned long long)tdx->policy);
	text_tag(x, "mrConfigId", tdx->mr_config_id);
	if (tdx->mr_owner)
		text_tag(x, "mrOwner", tdx->mr_owner);
	open_tag(x, "quoteGenerationService");
	if (tdx->quote_socket)
		attribute(x, "path", tdx->quote_socket);
	close_tag(x);
	close_tag(x);
}

static void write_tdx_features(struct xml *x)
{
	empty_tag(x, "ioapic", "driver", "qemu", NULL); /* TDX can't use the in-kernel one */
	empty_tag(x, "pmu", "state", "off", NULL);
}

/* How a TEE changes the domain. */
static const struct tee {
	const char *name;
	bool kvm; /* nothing else can start it */
	void (*memory)(struct xml *x);
	void (*features)(struct xml *x);
	void (*launch)(struct xml *x, const struct domain_spec *spec);
} tees[] = {
	[DOMAIN_PLAIN] = { .name = "none" },
	[DOMAIN_SNP] = { "snp", true, write_snp_memory, NULL, write_snp },
	[DOMAIN_TDX] = { "tdx", true, NULL, write_tdx_features, write_tdx },
};

const char *domain_tee_name(enum domain_tee tee)
{
	return tees[tee].name;
}

static void write_os(struct xml *x, const struct domain_spec *spec)
{
	open_tag(x, "os");
	open_tag(x, "type");
	attribute(x, "arch", "x86_64");
	attribute(x, "machine", "q35");
	x->bad |= xmlTextWriterWriteString(x->out, BAD_CAST "hvm") < 0;
	close_tag(x);
	if (spec->firmware) {
		/* No variable store: nothing survives from one launch to the next. */
		open_tag(x, "loader");
		if (spec->tee == DOMAIN_PLAIN) {
			attribute(x, "readonly", "yes");
			attribute(x, "type", "pflash");
			attribute(x, "stateless", "yes");
		} else {
			attribute(x, "type", "rom"); /* a TEE measures it as it is loaded */
		}
		x->bad |= xmlTextWriterWriteString(x->out, BAD_CAST spec->firmware) < 0;
		close_tag(x);
	}
	if (!spec->igvm) {
		text_tag(x, "kernel", spec->kernel);
		text_tag(x, "initrd", spec->initrd);
		text_tag(x, "cmdline", spec->cmdline);
	}
	close_tag(x);
}

/* Vectors of 256 bits. QEMU's emulator computes them element by element, and libraries take the widest that they see. With
 * QEMU 7.2, millions of multiply-adds of floats a second and core: FMA 11, AVX 47, SSE 150; a training takes hundreds of
 * thousands of millions. */
static const char *const slow_emulated[] = { "avx", "avx2", "fma", "f16c", "vaes", "vpclmulqdq" };

static void write_cpu(struct xml *x, const struct domain_spec *spec)
{
	open_tag(x, "cpu");
	if (spec->cpu_type) {
		attribute(x, "mode", "custom");
		attribute(x, "match", "exact");
		if (spec->simulated) /* it counts in the measurement; the emulator says what runs */
			attribute(x, "check", "none");
		text_tag(x, "model", spec->cpu_type);
	} else {
		attribute(x, "mode", spec->kvm ? "host-passthrough" : "maximum");
	}
	for (size_t i = 0; !spec->kvm && i < ARRAY_LEN(slow_emulated); i++)
		empty_tag(x, "feature", "policy", "disable", "name", slow_emulated[i], NULL);
	close_tag(x);
}

/* A guest that ends or restarts is another guest: its keys were in its memory. */
static void write_ends(struct xml *x)
{
	empty_tag(x, "clock", "offset", "utc", NULL);
	text_tag(x, "on_poweroff", "destroy");
	text_tag(x, "on_reboot", "destroy");
	text_tag(x, "on_crash", "destroy");
}

/* Straight on the root bus: a root port for each device, which libvirt would add, costs the boot
 * time. And every guest sees its devices in the same places. */
static void write_address(struct xml *x, const char *slot)
{
	empty_tag(x, "address", "type", "pci", "domain", "0x0000", "bus", "0x00", "slot", slot,
		  "function", "0x0", NULL);
}

static void write_share(struct xml *x, const char *dir, const char *tag, const char *slot)
{
	open_tag(x, "filesystem");
	attribute(x, "type", "mount");
	attribute(x, "accessmode", "passthrough");
	empty_tag(x, "source", "dir", dir, NULL);
	empty_tag(x, "target", "dir", tag, NULL);
	empty_tag(x, "readonly", NULL);
	write_address(x, slot);
	close_tag(x);
}

struct disk {
	const char *file, *device, *slot;
	const char
		*serial; /* the boot disk's; NULL: the image's root, which other domains have too */
};

static void write_disk(struct xml *x, const struct disk *disk)
{
	open_tag(x, "disk");
	attribute(x, "type", "file");
	attribute(x, "device", "disk");
	empty_tag(x, "driver", "name", "qemu", "type", "raw", NULL);
	empty_tag(x, "source", "file", disk->file, NULL);
	empty_tag(x, "target", "dev", disk->device, "bus", "virtio", NULL);
	empty_tag(x, "readonly", NULL);
	if (disk->serial)
		text_tag(x, "serial", disk->serial);
	else
		empty_tag(x, "shareable", NULL);
	write_address(x, disk->slot);
	close_tag(x);
}

/* The guest finds the boot disk by its serial number; its root, in old images as well, is the first. */
static void write_storage(struct xml *x, const struct domain_spec *spec)
{
	if (spec->root)
		write_disk(x, &(struct disk){ spec->root, "vda", "0x02", NULL });
	if (spec->boot_disk) {
		write_disk(x, &(struct disk){ spec->boot_disk, "vdb", "0x03", BOOTDISK_SERIAL });
		return;
	}
	write_share(x, spec->env_dir, "env_share", "0x03");
	write_share(x, spec->certs_dir, "certs_share", "0x04");
}

static void write_tpm(struct xml *x)
{
	open_tag(x, "tpm");
	attribute(x, "model", "tpm-crb");
	open_tag(x, "backend");
	attribute(x, "type", "emulator");
	attribute(x, "version", "2.0");
	open_tag(x, "active_pcr_banks"); /* swtpm activates only SHA-256 unless told otherwise */
	empty_tag(x, "sha256", NULL);
	empty_tag(x, "sha384", NULL);
	close_tag(x);
	close_tag(x);
	close_tag(x);
}

static void write_devices(struct xml *x, const struct domain_spec *spec)
{
	open_tag(x, "devices");
	if (spec->emulator)
		text_tag(x, "emulator", spec->emulator);
	empty_tag(x, "controller", "type", "usb", "model", "none", NULL);
	write_storage(x, spec);
	open_tag(x, "interface");
	attribute(x, "type", "user");
	empty_tag(x, "model", "type", "virtio", NULL);
	empty_tag(x, "rom", "enabled", "no", NULL); /* nobody boots from the network */
	write_address(x, "0x05");
	close_tag(x);
	open_tag(x, "serial");
	attribute(x, "type", spec->console ? "file" : "pty");
	if (spec->console)
		empty_tag(x, "source", "path", spec->console, NULL);
	empty_tag(x, "target", "port", "0", NULL);
	close_tag(x);
	if (!spec->igvm) /* the service module in such a file has its own */
		write_tpm(x);
	empty_tag(x, "memballoon", "model", "none", NULL);
	close_tag(x);
}

/* Arguments for which libvirt has no element, in pairs: "-object", …, NULL. */
static void __attribute__((sentinel)) write_arguments(struct xml *x, ...)
{
	va_list list;
	const char *value;

	open_tag(x, "qemu:commandline");
	va_start(list, x);
	while ((value = va_arg(list, const char *)))
		empty_tag(x, "qemu:arg", "value", value, NULL);
	va_end(list);
	close_tag(x);
}

/* A simulated TEE is requested with the arguments that libvirt would use if there were hardware;
 * the emulator removes them again. */
static int tee_object(const struct domain_spec *spec, char **object, struct err *e)
{
	if (spec->tee == DOMAIN_SNP)
		return text_format(
			object, e,
			"{\"qom-type\":\"sev-snp-guest\",\"id\":\"lsec0\",\"cbitpos\":%u,"
			"\"reduced-phys-bits\":%u,\"policy\":%llu,\"host-data\":\"%s\","
			"\"kernel-hashes\":true}",
			spec->snp.cbitpos, spec->snp.reduced_phys_bits,
			(unsigned long long)spec->snp.policy, spec->snp.host_data);
	return text_format(object, e,
			   "{\"qom-type\":\"tdx-guest\",\"id\":\"lsec0\",\"attributes\":%llu,"
			   "\"mrconfigid\":\"%s\"%s%s%s}",
			   (unsigned long long)spec->tdx.policy, spec->tdx.mr_config_id,
			   spec->tdx.mr_owner ? ",\"mrowner\":\"" : "",
			   spec->tdx.mr_owner ? spec->tdx.mr_owner : "",
			   spec->tdx.mr_owner ? "\"" : "");
}

/* What goes to QEMU past libvirt; malloc'ed, NULL for nothing. */
static int extra_object(const struct domain_spec *spec, char **object, struct err *e)
{
	if (spec->simulated)
		return tee_object(spec, object, e);
	/* A comma ends a value in QEMU's options unless it is doubled: check_spec() refuses it. */
	return spec->igvm ? text_format(object, e, "igvm-cfg,id=igvm0,file=%s", spec->igvm) : 0;
}

static void write_domain(struct xml *x, const struct domain_spec *spec, const char *object)
{
	const struct tee *tee = &tees[spec->simulated ? DOMAIN_PLAIN : spec->tee];

	open_tag(x, "domain");
	attribute(x, "type", spec->kvm ? "kvm" : "qemu");
	if (object)
		attribute(x, "xmlns:qemu", QEMU_NAMESPACE);
	text_tag(x, "name", spec->name);
	text_tag(x, "uuid", spec->uuid);
	open_tag(x, "memory");
	attribute(x, "unit", "KiB");
	x->bad |= xmlTextWriterWriteFormatString(x->out, "%llu",
						 (unsigned long long)spec->memory_kib) < 0;
	close_tag(x);
	if (tee->memory)
		tee->memory(x);
	number_tag(x, "vcpu", "%u", spec->cpus);
	write_os(x, spec);
	open_tag(x, "features");
	empty_tag(x, "acpi", NULL);
	empty_tag(x, "apic", NULL);
	if (tee->features)
		tee->features(x);
	close_tag(x);
	write_cpu(x, spec);
	write_ends(x);
	write_devices(x, spec);
	if (tee->launch)
		tee->launch(x, spec);
	if (object)
		write_arguments(x, "-object", object, "-machine",
				spec->igvm ? "igvm-cfg=igvm0" : "confidential-guest-support=lsec0",
				NULL);
	close_tag(x);
}

static int check_spec(const struct domain_spec *spec, struct err *e)
{
	const struct tee *tee = &tees[spec->tee];

	if (tee->kvm && spec->kvm == spec->simulated)
		return err_set(e, ERR_PRECONDITION, "%s domains need KVM", tee->name);
	if (spec->simulated && (!tee->kvm || !spec->emulator || spec->igvm || spec->snp.id_block ||
				spec->tdx.quote_socket))
		return err_set(
			e, ERR_PRECONDITION,
			"a simulated TEE needs an emulator that simulates it, and takes neither "
			"IGVM file, ID block nor quote generation service");
	if (tee->kvm && !spec->firmware && !spec->igvm)
		return err_set(e, ERR_PRECONDITION, "%s domains need UEFI firmware or an IGVM file",
			       tee->name);
	if (spec->igvm && (!tee->kvm || spec->firmware))
		return err_set(e, ERR_PRECONDITION,
			       "an IGVM file is the firmware of an SNP or TDX domain, alone");
	if (spec->igvm && (strchr(spec->igvm, ',') || strlen(spec->igvm) > 4096))
		return err_set(e, ERR_INVALID, "the IGVM file's path has a comma or is too long");
	if (spec->tee == DOMAIN_SNP &&
	    (!spec->snp.host_data || !spec->snp.id_block != !spec->snp.id_auth))
		return err_set(e, ERR_INVALID,
			       "an SNP domain needs host data, and the ID block and "
			       "its authentication go together");
	if (!spec->boot_disk == !spec->env_dir || !spec->env_dir != !spec->certs_dir)
		return err_set(e, ERR_INVALID,
			       "a domain needs a boot disk, or both shares and no boot disk");
	if (spec->tee == DOMAIN_TDX && !spec->tdx.mr_config_id)
		return err_set(e, ERR_INVALID, "a TDX domain needs MRCONFIGID");
	return 0;
}

int domain_xml_write(const struct domain_spec *spec, char **xml, struct err *e)
{
	CLEANUP(xmlBufferFree) xmlBufferPtr buffer = xmlBufferCreate();
	CLEANUP(xmlFreeTextWriter)
	xmlTextWriterPtr out = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
	CLEANUP(free) char *object = NULL;
	struct xml x = { .out = out };

	if (check_spec(spec, e) < 0 || extra_object(spec, &object, e) < 0)
		return err_code(e);
	if (!out)
		return err_nomem(e);
	x.bad |= xmlTextWriterSetIndent(out, 1) < 0;
	write_domain(&x, spec, object);
	x.bad |= xmlTextWriterFlush(out) < 0;
	if (x.bad || xmlBufferLength(buffer) > DOMAIN_XML_MAX)
		return err_set(e, ERR_INTERNAL, "the domain's XML could not be written");
	*xml = strdup((const char *)xmlBufferContent(buffer));
	return *xml ? 0 : err_nomem(e);
}
