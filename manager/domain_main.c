/* SPDX-License-Identifier: Apache-2.0 */
/* domain_main.c — cocos-domain: prints the domain that the manager launches for a TD, as that of a simulated one, which
 * libvirt of any age takes. scripts/host-tables has QEMU's arguments made from it: so both launch the same devices. */
#include "common/base/cleanup.h"
#include "manager/virt/domain_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 48 zeros in base64; MRCONFIGID stands in no table. */
#define CONFIG_ID "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct text {
	const char *key;
	size_t at;
} texts[] = {
	{ "emulator", offsetof(struct domain_spec, emulator) },
	{ "firmware", offsetof(struct domain_spec, firmware) },
	{ "kernel", offsetof(struct domain_spec, kernel) },
	{ "initrd", offsetof(struct domain_spec, initrd) },
	{ "cmdline", offsetof(struct domain_spec, cmdline) },
	{ "root", offsetof(struct domain_spec, root) },
	{ "boot-disk", offsetof(struct domain_spec, boot_disk) },
	{ "env", offsetof(struct domain_spec, env_dir) },
	{ "certs", offsetof(struct domain_spec, certs_dir) },
};

static int take_number(const char *text, unsigned max, unsigned *number, struct err *e)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (text[0] < '1' || text[0] > '9' || *end || value > max)
		return err_set(e, ERR_INVALID, "'%s' is no number from 1 to %u", text, max);
	*number = (unsigned)value;
	return 0;
}

static int take_text(struct domain_spec *spec, const char *word, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		size_t len = strlen(texts[i].key);

		if (strncmp(word, texts[i].key, len) == 0 && word[len] == '=') {
			*(const char **)((char *)spec + texts[i].at) = word + len + 1;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID, "unknown argument '%s'", word);
}

static int print_domain(char **words, int count, struct err *e)
{
	enum { CPUS_MAX = 4096, MEMORY_MIB_MAX = 16 << 20 };
	CLEANUP(free) char *xml = NULL;
	struct domain_spec spec = {
		.name = "tables",
		.uuid = "3b1f8a10-1111-4222-8333-000000000001",
		.tee = DOMAIN_TDX,
		.simulated = true,
		.console = "/dev/null",
		.tdx = { .mr_config_id = CONFIG_ID },
	};
	unsigned memory_mib;

	if (take_number(words[0], CPUS_MAX, &spec.cpus, e) < 0 ||
	    take_number(words[1], MEMORY_MIB_MAX, &memory_mib, e) < 0)
		return err_code(e);
	spec.memory_kib = (uint64_t)memory_mib << 10;
	for (int i = 2; i < count; i++)
		if (take_text(&spec, words[i], e) < 0)
			return err_code(e);
	if (!spec.kernel || !spec.initrd || !spec.cmdline)
		return err_set(e, ERR_INVALID, "kernel, initrd and cmdline have to be given");
	if (domain_xml_write(&spec, &xml, e) < 0)
		return err_code(e);
	return fputs(xml, stdout) == EOF || fflush(stdout) == EOF ? err_errno(e, "print") : 0;
}

int main(int argc, char **argv)
{
	struct err e;

	if (argc < 3) {
		fputs("Usage: cocos-domain CPUS MEMORY_MIB KEY=VALUE...\n", stderr);
		return 2;
	}
	if (print_domain(argv + 1, argc - 1, &e) == 0)
		return 0;
	fprintf(stderr, "cocos-domain: %s\n", e.text);
	return 1;
}
