/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cocos-teesim-emulator — the <emulator> of a simulated domain: measures what QEMU is really given,
 * as a TEE's hardware does, passes the result to the machine through fw_cfg, and becomes a QEMU
 * without a TEE.
 *
 * A host that changes what is launched changes what is measured, as with real hardware. The
 * configuration is next to the program, with the program's name and ".json": {"qemu": FILE, "keys":
 * DIR of the simulated vendors' keys, "facts": {what else the hardware is: product, chip_id, tcb, …
 * (facts.h)}}.
 */
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "tests/teesim/measured.h"
#include "tests/teesim/vendor.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FW_CFG "opt/org.cocos.teesim"

struct machine {
	char *text; /* the configuration */
	struct json *root;
	const char *qemu, *keys;
	const struct json *facts;
};

static int read_machine(const char *program, struct machine *m, struct err *e)
{
	static const char *const known[] = { "qemu", "keys", "facts", NULL };
	CLEANUP(free) char *path = NULL;

	if (text_format(&path, e, "%s.json", program) < 0 ||
	    file_read_text(path, FACTS_MAX, &m->text, e) < 0 ||
	    json_parse(m->text, strlen(m->text), &m->root, e) < 0)
		return err_code(e);
	if (json_only_keys(m->root, known, e) < 0 ||
	    json_get_string(m->root, "qemu", &m->qemu, e) < 0 ||
	    json_get_string(m->root, "keys", &m->keys, e) < 0 ||
	    json_get_object(m->root, "facts", &m->facts, e) < 0)
		return err_wrap(e, "'%s'", path);
	return 0;
}

static void write_text(struct writer *w, const char *name, const char *text)
{
	writer_printf(w, "%s\"%s\":", w->bytes[w->len - 1] == '{' ? "" : ",", name);
	json_quote(w, text, strlen(text));
}

/* The vendor's keys stay with the hardware; the machine gets a leaf. */
static int write_credentials(const struct machine *m, struct writer *w, struct err *e)
{
	CLEANUP_FACTS struct facts facts = { 0 };
	CLEANUP_VENDOR struct vendor vendor = { 0 };
	CLEANUP(free) char *table = NULL;
	struct facts_credentials *c = &facts.credentials;

	writer_text(w, "}");
	if (facts_parse(w->bytes, w->len, &facts, e) < 0 || vendor_open(&vendor, m->keys, e) < 0 ||
	    vendor_credentials(&vendor, &facts, e) < 0)
		return err_code(e);
	w->len--;
	writer_text(w, ",\"credentials\":{");
	write_text(w, "leaf_key", c->leaf_key);
	if (facts.tee == FACTS_TDX) {
		write_text(w, "attestation_key", c->attestation_key);
		write_text(w, "pck_chain", c->pck_chain);
	} else {
		table = base64_encode(c->table, c->table_len);
		if (!table)
			return err_nomem(e);
		write_text(w, "table", table);
	}
	writer_text(w, "}}");
	return 0;
}

/* {launch…, machine…, credentials}: a name twice is refused when it is read. */
static int write_facts(const struct machine *m, const struct launch *l, struct writer *w,
		       struct err *e)
{
	size_t len = m->facts->end - m->facts->start;

	writer_text(w, "{");
	if (measured_write(l, w, e) < 0)
		return err_code(e);
	if (m->facts->count == 0)
		w->len--; /* the last comma */
	else
		writer_bytes(w, m->text + m->facts->start + 1, len - 2);
	if (writer_check(w, "the facts", e) < 0 || write_credentials(m, w, e) < 0)
		return err_code(e);
	return writer_check(w, "the facts", e);
}

/* In memory, and only for QEMU, which inherits it. */
static int give_facts(struct launch *l, const struct writer *w, struct err *e)
{
	CLEANUP(free) char *option = NULL;
	int fd = memfd_create("facts", 0);

	if (fd < 0)
		return err_errno(e, "memfd_create");
	if (fd_write_all(fd, w->bytes, w->len, e) < 0 ||
	    text_format(&option, e, "name=" FW_CFG ",file=/proc/self/fd/%d", fd) < 0)
		return err_code(e);
	return launch_add(l, "-fw_cfg", e) < 0 ? err_code(e) : launch_add(l, option, e);
}

static int run(int argc, char **argv, struct err *e)
{
	static struct launch launch;
	static struct machine machine;
	CLEANUP_WRITER struct writer w = writer_up_to(FACTS_MAX);

	if (read_machine(argv[0], &machine, e) < 0 || launch_read(argc, argv, &launch, e) < 0)
		return err_code(e);
	if (launch.tee &&
	    (write_facts(&machine, &launch, &w, e) < 0 || give_facts(&launch, &w, e) < 0))
		return err_code(e);
	if (launch.tee)
		log_info("SIMULATED hardware has measured the launch");
	execv(machine.qemu, launch.tee ? launch.rest : argv);
	return err_errno(e, "start '%s'", machine.qemu);
}

int main(int argc, char **argv)
{
	struct err e;

	log_open("cocos-teesim-emulator");
	run(argc, argv, &e);
	log_error("%s", e.text);
	return 1;
}
