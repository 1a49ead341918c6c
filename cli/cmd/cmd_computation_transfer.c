/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_computation_transfer.c — computations out of documents and into them, in the guides' JSON or as CSV.
 *
 * The service reads them (docs/operators.md, Export and import). What nobody but its owner may have is taken out here,
 * before anything is sent.
 */
#include "cli/base/key_file.h"
#include "cli/base/output.h"
#include "cli/base/text.h"
#include "cli/client/computation_client.h"
#include "cli/client/user_keys.h"
#include "cli/cmd/commands.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/transfer/csv.h"
#include "common/transfer/strip.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { PEOPLE_MAX = 1024 };

/* ---- the document ---- */

static bool ends_with(const char *path, const char *end)
{
	size_t len = strlen(path), end_len = strlen(end);

	return len > end_len && strcasecmp(path + len - end_len, end) == 0;
}

static bool is_csv(const char *path)
{
	return ends_with(path, ".csv");
}

static int to_json(const char *path, uint8_t **bytes, size_t *len, struct err *e)
{
	CLEANUP(free) uint8_t *text = NULL;
	size_t size;
	int failed;

	if (file_read(path, STRIP_MAX, &text, &size, e) < 0)
		return err_code(e);
	if (!is_csv(path)) {
		*bytes = TAKE_PTR(text);
		*len = size;
		return 0;
	}
	failed = csv_to_json(text, size, STRIP_MAX, bytes, len, e);
	explicit_bzero(text, size);
	return failed;
}

static void note_stripped(const struct stripped *what)
{
	if (what->contents)
		fprintf(stderr,
			"note: contents of %zu asset%s were taken out: their owners send them to "
			"the agent ('algo', 'data')\n",
			what->contents, what->contents == 1 ? "" : "s");
	if (what->keys)
		fprintf(stderr, "note: %zu private key%s taken out: an import sends none\n",
			what->keys, what->keys == 1 ? " was" : "s were");
}

static int read_document(const char *path, ProtobufCBinaryData *document, struct err *e)
{
	CLEANUP(free) uint8_t *json = NULL;
	struct stripped what;
	size_t len;
	int failed;

	if (to_json(path, &json, &len, e) < 0)
		return err_wrap(e, "'%s'", path);
	failed = strip(json, len, &document->data, &document->len, &what, e);
	explicit_bzero(json, len);
	if (failed)
		return err_wrap(e, "'%s'", path);
	note_stripped(&what);
	return 0;
}

/* ---- people ---- */

struct people {
	Computations__ImportPerson rows[PEOPLE_MAX], *list[PEOPLE_MAX];
	size_t count;
};

static void people_free(struct people *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->rows[i].id);
		free(p->rows[i].key.data);
	}
	free(p);
}
DEFINE_CLEANUP(struct people *, people_free)

/* "ID=VALUE", the first '=' counts; the person of that id. */
static int person_of(struct people *p, const char *option, const char *text,
		     Computations__ImportPerson **person, const char **value, struct err *e)
{
	const char *sign = strchr(text, '=');
	CLEANUP(free) char *id = NULL;

	if (!sign || sign == text || !sign[1])
		return err_set(e, ERR_INVALID, "--%s %s: write ID=%s", option, log_quote(text).text,
			       strcmp(option, "map") == 0 ? "USER" : "FILE");
	id = strndup(text, (size_t)(sign - text));
	if (!id)
		return err_nomem(e);
	*value = sign + 1;
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->rows[i].id, id) == 0) {
			*person = &p->rows[i];
			return 0;
		}
	if (p->count == PEOPLE_MAX)
		return err_set(e, ERR_INVALID, "--%s: more than %d people", option, PEOPLE_MAX);
	*person = p->list[p->count] = &p->rows[p->count];
	computations__import_person__init(*person);
	p->rows[p->count++].id = TAKE_PTR(id);
	return 0;
}

/* A file, or a user's that the service has. */
static int read_key(struct cli *cli, const char *value, ProtobufCBinaryData *key, struct err *e)
{
	size_t prefix = strlen(MANIFEST_USER_PREFIX);

	if (strncmp(value, MANIFEST_USER_PREFIX, prefix) == 0)
		return user_keys_get(cli, value + prefix, &key->data, &key->len, e);
	return key_file_spki(cli, value, &key->data, &key->len, e);
}

static int read_people(struct cli *cli, struct people *p, struct err *e)
{
	Computations__ImportPerson *person;
	const char *text, *value;

	for (size_t i = 0; (text = cli_value_at(cli, "map", i)) != NULL; i++) {
		if (person_of(p, "map", text, &person, &value, e) < 0)
			return err_code(e);
		if (*person->user)
			return err_set(e, ERR_INVALID, "--map %s: comes twice",
				       log_quote(person->id).text);
		person->user = (char *)(uintptr_t)value;
	}
	for (size_t i = 0; (text = cli_value_at(cli, "key", i)) != NULL; i++) {
		if (person_of(p, "key", text, &person, &value, e) < 0)
			return err_code(e);
		if (person->key.len)
			return err_set(e, ERR_INVALID, "--key %s: comes twice",
				       log_quote(person->id).text);
		if (read_key(cli, value, &person->key, e) < 0)
			return err_code(e);
	}
	return 0;
}

/* ---- the report ---- */

static void print_one(struct cli *cli, const Computations__Imported *c)
{
	FILE *out = cli->out;

	fprintf(out, "%s  %s",
		c->created ? cli_flag(cli, "preview") ? "would create" : "created" : "not created",
		text_plain(c->name).text);
	if (*c->id)
		fprintf(out, "  %s", text_plain(c->id).text);
	fputc('\n', out);
	if (c->created)
		fprintf(out, "  wants      1 algorithm, %u dataset%s; %u consumer%s\n", c->datasets,
			c->datasets == 1 ? "" : "s", c->consumers, c->consumers == 1 ? "" : "s");
	if (c->manifest_digest.len == 32) {
		fputs("  manifest   ", out);
		for (size_t i = 0; i < c->manifest_digest.len; i++)
			fprintf(out, "%02x", c->manifest_digest.data[i]);
		fputc('\n', out);
	}
	if (*c->missing)
		fprintf(out, "  because    %s\n", text_plain(c->missing).text);
	for (size_t i = 0; i < c->n_warnings; i++)
		fprintf(out, "  warning    %s\n", text_plain(c->warnings[i]).text);
	for (size_t i = 0; i < c->n_unknown; i++)
		fprintf(out, "  unknown    %s: no such user; --map %s=USER\n",
			text_plain(c->unknown[i]).text, text_plain(c->unknown[i]).text);
}

static void texts_to_json(struct json_out *out, const char *key, char *const *texts, size_t count)
{
	json_out_list(out, key);
	for (size_t i = 0; i < count; i++)
		json_out_text(out, NULL, texts[i]);
	json_out_end(out);
}

static int print_json(struct cli *cli, const Computations__ImportResponse *response, struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	json_out_list(&out, NULL);
	for (size_t i = 0; i < response->n_computations; i++) {
		const Computations__Imported *c = response->computations[i];

		json_out_object(&out, NULL);
		json_out_text(&out, "name", c->name);
		json_out_text(&out, "id", c->id);
		json_out_bool(&out, "created", c->created && !cli_flag(cli, "preview"));
		json_out_bool(&out, "possible", c->created);
		json_out_text(&out, "missing", c->missing);
		texts_to_json(&out, "warnings", c->warnings, c->n_warnings);
		texts_to_json(&out, "unknown_users", c->unknown, c->n_unknown);
		json_out_hex(&out, "manifest_digest", c->manifest_digest.data,
			     c->manifest_digest.len);
		json_out_number(&out, "datasets", c->datasets);
		json_out_number(&out, "consumers", c->consumers);
		json_out_end(&out);
	}
	json_out_end(&out);
	return json_out_print(&out, cli->out, e);
}

/* What could not be created makes it fail, when all is said. */
static enum cli_exit report(struct cli *cli, const Computations__ImportResponse *response,
			    struct err *e)
{
	size_t lacking = 0;

	for (size_t i = 0; i < response->n_computations; i++)
		lacking += !response->computations[i]->created;
	if (!cli_flag(cli, "json"))
		for (size_t i = 0; i < response->n_computations; i++)
			print_one(cli, response->computations[i]);
	else if (print_json(cli, response, e) < 0)
		return CLI_FAILED;
	if (!lacking)
		return CLI_OK;
	err_record(e, ERR_PRECONDITION, "%zu of %zu computations %s", lacking,
		   response->n_computations,
		   cli_flag(cli, "preview") ? "would not be created" : "were not created");
	return CLI_FAILED;
}

static enum cli_exit run_import(struct cli *cli, struct err *e)
{
	Computations__ImportRequest request = COMPUTATIONS__IMPORT_REQUEST__INIT;
	CLEANUP(people_free) struct people *people = calloc(1, sizeof(*people));
	CLEANUP(free) uint8_t *document = NULL;
	ProtobufCMessage *response;
	enum cli_exit status;

	if (!people) {
		err_record(e, ERR_EXHAUSTED, "out of memory");
		return CLI_FAILED;
	}
	if (read_people(cli, people, e) < 0)
		return cli->hint[0] ? CLI_FAILED : CLI_USAGE; /* the service, or a file */
	if (read_document(cli->operands[0], &request.document, e) < 0)
		return CLI_USAGE;
	document = request.document.data;
	request.preview = cli_flag(cli, "preview");
	request.new_ids = cli_flag(cli, "new-ids");
	if (cli_value(cli, "workspace"))
		request.workspace = (char *)(uintptr_t)cli_value(cli, "workspace");
	request.people = people->list;
	request.n_people = people->count;
	status = computation_call(cli, &computation_import, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	status = report(cli, (const Computations__ImportResponse *)response, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

/* clang-format off */
static const struct cli_option import_options[] = {
	{ .name = "preview", .help = "say what would be created and what is missing, and create nothing" },
	{ .name = "map", .value = "ID=USER", .times = CLI_MANY,
	  .help = "whom the document calls ID is this user" },
	{ .name = "key", .value = "ID=FILE", .times = CLI_MANY,
	  .help = "the public key of whom the document calls ID, where it has none; or user:NAME" },
	{ .name = "workspace", .value = "NAME",
	  .help = "that they are in (your only one, or 'default')" },
	{ .name = "new-ids", .help = "new ids for all of them: their manifests get other digests" },
	CLI_JSON_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_computation_import = {
	.name = "computation import",
	.args = "FILE",
	.help = "create computations from a document in JSON, or in CSV (FILE.csv)",
	.operands_min = 1,
	.operands_max = 1,
	.options = import_options,
	.run = run_import,
	.more = "The document is an export, of this service or one that writes the same JSON; its older, flat form is\n"
		"fine as well. Each computation is created whole or not at all, and others are created\n"
		"nevertheless. One whose name is taken is called 'NAME (2)', or by the next number, until 'computation\n"
		"rename': its manifest stays. People who are no users are left out of its roles, and named; who provides an\n"
		"asset or gets results needs a key, in the document or by --key. Contents of assets and private\n"
		"keys are taken out before anything is sent. Exit status 1: some could not be created.",
};

/* ---- export ---- */

static enum cli_exit check_target(struct cli *cli, struct err *e)
{
	const char *path = cli_value(cli, "output");

	if (path && cli_flag(cli, "csv") && ends_with(path, ".json"))
		return cli_usage(e, "--csv: '%s' is called JSON: name it .csv, or leave --csv out",
				 path);
	return CLI_OK;
}

static int write_out(struct cli *cli, const ProtobufCBinaryData *document, struct err *e)
{
	const char *path = cli_value(cli, "output");

	if (path)
		return output_file(cli, path, document->data, document->len, 0600, e);
	if (fwrite(document->data, 1, document->len, cli->out) != document->len ||
	    fflush(cli->out) != 0)
		return err_errno(e, "standard output");
	return 0;
}

static enum cli_exit run_export(struct cli *cli, struct err *e)
{
	Computations__ExportRequest request = COMPUTATIONS__EXPORT_REQUEST__INIT;
	const char *path = cli_value(cli, "output");
	ProtobufCMessage *response;
	enum cli_exit status = check_target(cli, e);

	if (status != CLI_OK)
		return status;
	request.ids = (char **)(uintptr_t)cli->operands;
	request.n_ids = (size_t)cli->operand_count;
	request.csv = cli_flag(cli, "csv") || (path && is_csv(path));
	status = computation_call(cli, &computation_export, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	if (write_out(cli, &((const Computations__ExportResponse *)response)->document, e) < 0)
		status = CLI_FAILED;
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

/* clang-format off */
static const struct cli_option export_options[] = {
	{ .letter = 'o', .name = "output", .value = "FILE", .writes = true, .help = "write it there, and not to standard output; FILE.csv is CSV" },
	{ .name = "csv", .help = "CSV, a row for each, and not JSON" },
	OUTPUT_FORCE_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_computation_export = {
	.name = "computation export",
	.args = "ID...",
	.help = "write computations as a document, which 'computation import' takes",
	.operands_min = 1,
	.operands_max = CLI_ANY,
	.options = export_options,
	.run = run_export,
	.more = "It has manifests, roles, and what is known of assets; no contents of assets, no private key, no logs. An\n"
		"import of it is the same computation: the same id, a manifest of the same digest, and the name in it,\n"
		"whatever it was renamed to.",
};
