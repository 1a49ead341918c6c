/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/teesim/launch.h"

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>

#define TEE_ID "lsec0" /* libvirt's name of the object */

int launch_add(struct launch *l, const char *word, struct err *e)
{
	if (l->count == LAUNCH_ARGS_MAX)
		return err_set(e, ERR_EXHAUSTED, "more than %d arguments", LAUNCH_ARGS_MAX);
	l->rest[l->count] = strdup(word);
	return l->rest[l->count++] ? 0 : err_nomem(e);
}

static int add_option(struct launch *l, const char *name, const char *value, struct err *e)
{
	return launch_add(l, name, e) < 0 || launch_add(l, value, e) < 0 ? err_code(e) : 0;
}

/* ---- options that count ---- */

static int take_once(const char **to, const char *name, const char *value, struct err *e)
{
	if (*to)
		return err_set(e, ERR_INVALID, "%s twice", name);
	*to = value;
	return 0;
}

/* Measured, and also given to the real QEMU. */
static int take_kernel(struct launch *l, const char *value, struct err *e)
{
	return take_once(&l->kernel, "-kernel", value, e) < 0 ? err_code(e)
							      : add_option(l, "-kernel", value, e);
}

static int take_initrd(struct launch *l, const char *value, struct err *e)
{
	return take_once(&l->initrd, "-initrd", value, e) < 0 ? err_code(e)
							      : add_option(l, "-initrd", value, e);
}

static int take_append(struct launch *l, const char *value, struct err *e)
{
	return take_once(&l->append, "-append", value, e) < 0 ? err_code(e)
							      : add_option(l, "-append", value, e);
}

/* Measured; QEMU runs its own SeaBIOS, since such firmware needs the hardware. */
static int take_bios(struct launch *l, const char *value, struct err *e)
{
	return take_once(&l->firmware, "-bios", value, e);
}

/* "EPYC-Milan,x=y": measured. What the real QEMU has instead, add_cpu() says. */
static int take_cpu(struct launch *l, const char *value, struct err *e)
{
	if (l->cpu)
		return err_set(e, ERR_INVALID, "-cpu twice");
	l->cpu = strndup(value, strcspn(value, ","));
	return l->cpu ? 0 : err_nomem(e);
}

/* "tcg,thread=multi": the processor is software. */
static int take_accel(struct launch *l, const char *value, struct err *e)
{
	l->emulated = strncmp(value, "tcg", strlen("tcg")) == 0;
	return add_option(l, "-accel", value, e);
}

/* The features are those of the software, as the manager's domain_xml.c asks libvirt for them: an emulated
 * processor computes vectors of 256 bits element by element. */
static int add_cpu(struct launch *l, struct err *e)
{
	return add_option(l, "-cpu",
			  l->emulated
				  ? "max,avx=off,avx2=off,fma=off,f16c=off,vaes=off,vpclmulqdq=off"
				  : "max",
			  e);
}

/* "2,sockets=2,…" */
static int take_smp(struct launch *l, const char *value, struct err *e)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (l->cpus || n < 1 || n > 4096 || (*end && *end != ','))
		return err_set(e, ERR_INVALID, "-smp %s", log_quote(value).text);
	l->cpus = (unsigned)n;
	return add_option(l, "-smp", value, e);
}

/* "1024" MiB, or "size=1048576k". */
static int take_memory(struct launch *l, const char *value, struct err *e)
{
	bool kib = strncmp(value, "size=", 5) == 0;
	char *end;
	unsigned long n = strtoul(kib ? value + 5 : value, &end, 10);

	if (l->memory_mib || strcmp(end, kib ? "k" : "") != 0 || n < (kib ? 1024 : 1))
		return err_set(e, ERR_INVALID, "-m %s", log_quote(value).text);
	l->memory_mib = kib ? n / 1024 : n;
	return add_option(l, "-m", value, e);
}

/* Removes the TEE; refuses what would load other code than the measured one. */
static int take_machine(struct launch *l, const char *value, struct err *e)
{
	static const char *const refused[] = { "pflash",  "igvm",    "firmware", "dtb",
					       "kernel=", "initrd=", "append=" };
	CLEANUP(free) char *copy = strdup(value), *kept = calloc(1, strlen(value) + 1);
	char *rest = copy;

	if (!copy || !kept)
		return err_nomem(e);
	for (char *part; (part = strsep(&rest, ","));) {
		for (size_t i = 0; i < ARRAY_LEN(refused); i++)
			if (strncmp(part, refused[i], strlen(refused[i])) == 0)
				return err_set(e, ERR_INVALID, "-machine %s", log_quote(part).text);
		if (strcmp(part, "confidential-guest-support=" TEE_ID) == 0)
			continue;
		if (*kept)
			strncat(kept, ",", 1);
		strncat(kept, part, strlen(value) - strlen(kept));
	}
	return *kept ? add_option(l, "-machine", kept, e) : 0;
}

static bool is_tee(const struct json *object)
{
	const char *type;
	struct err e;

	return json_get_string(object, "qom-type", &type, &e) == 0 &&
	       (strcmp(type, "sev-snp-guest") == 0 || strcmp(type, "tdx-guest") == 0);
}

static int take_object(struct launch *l, const char *value, struct err *e)
{
	struct json *object = NULL;

	if (*value != '{')
		return err_set(e, ERR_INVALID, "-object %s: only in JSON", log_quote(value).text);
	if (json_parse(value, strlen(value), &object, e) < 0)
		return err_wrap(e, "-object");
	if (!is_tee(object)) {
		json_free(object);
		return add_option(l, "-object", value, e);
	}
	if (l->tee) {
		json_free(object);
		return err_set(e, ERR_INVALID, "two TEEs");
	}
	l->tee = object;
	return 0;
}

/* A device that puts bytes into memory would do that unmeasured. */
static int take_device(struct launch *l, const char *value, struct err *e)
{
	if (strstr(value, "loader"))
		return err_set(e, ERR_INVALID, "-device %s", log_quote(value).text);
	return add_option(l, "-device", value, e);
}

static const struct option {
	const char *name;
	bool has_value;
	int (*take)(struct launch *l, const char *value, struct err *e); /* NULL: kept as it is */
} options[] = {
	{ "-kernel", true, take_kernel },
	{ "-initrd", true, take_initrd },
	{ "-append", true, take_append },
	{ "-bios", true, take_bios },
	{ "-cpu", true, take_cpu },
	{ "-smp", true, take_smp },
	{ "-machine", true, take_machine },
	{ "-object", true, take_object },
	{ "-device", true, take_device },
	{ "-name", true, NULL },
	{ "-accel", true, take_accel },
	{ "-m", true, take_memory },
	{ "-overcommit", true, NULL },
	{ "-uuid", true, NULL },
	{ "-display", true, NULL },
	{ "-chardev", true, NULL },
	{ "-mon", true, NULL },
	{ "-rtc", true, NULL },
	{ "-boot", true, NULL },
	{ "-blockdev", true, NULL },
	{ "-fsdev", true, NULL },
	{ "-netdev", true, NULL },
	{ "-tpmdev", true, NULL },
	{ "-audiodev", true, NULL },
	{ "-sandbox", true, NULL },
	{ "-msg", true, NULL },
	{ "-global", true, NULL },
	{ "-add-fd", true, NULL },
	{ "-S", false, NULL },
	{ "-no-user-config", false, NULL },
	{ "-nodefaults", false, NULL },
	{ "-no-shutdown", false, NULL },
	{ "-no-reboot", false, NULL },
	{ "-watchdog-action", true, NULL },
	{ "-nographic", false, NULL },
};

static const struct option *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

static int read_all(int argc, char *const argv[], struct launch *l, struct err *e)
{
	for (int i = 1; i < argc; i++) {
		const struct option *o = find(argv[i]);
		const char *value = o && o->has_value && i + 1 < argc ? argv[i + 1] : NULL;
		int failed;

		if (!o || (o->has_value && !value))
			return err_set(e, ERR_INVALID,
				       "the simulator does not know how to measure %s",
				       log_quote(argv[i]).text);
		if (o->take)
			failed = o->take(l, value, e);
		else
			failed = value ? add_option(l, o->name, value, e)
				       : launch_add(l, o->name, e);
		if (failed)
			return failed;
		i += o->has_value;
	}
	return 0;
}

/* QEMU refers to a TEE's object by name; one that is not used would not be a TEE. */
static bool asks_for_tee(int argc, char *const argv[])
{
	for (int i = 1; i < argc; i++)
		if (strstr(argv[i], "confidential-guest-support") || strstr(argv[i], "sev-") ||
		    strstr(argv[i], "tdx-guest"))
			return true;
	return false;
}

int launch_read(int argc, char *const argv[], struct launch *l, struct err *e)
{
	memset(l, 0, sizeof(*l));
	if (!asks_for_tee(argc, argv))
		return 0;
	if (launch_add(l, argv[0], e) < 0 || read_all(argc, argv, l, e) < 0)
		return err_code(e);
	if (!l->tee || !l->kernel || !l->initrd || !l->append || !l->firmware || !l->cpu ||
	    !l->cpus)
		return err_set(e, ERR_INVALID,
			       "a measured launch has firmware (-bios), -kernel, -initrd, -append, "
			       "-cpu, -smp, -m and the TEE's object");
	return add_cpu(l, e);
}

void launch_done(struct launch *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->rest[i]);
	free((void *)(uintptr_t)l->cpu);
	json_free(l->tee);
	memset(l, 0, sizeof(*l));
}
