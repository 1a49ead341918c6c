/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_manifest_diff.c — in what two manifests differ, by meaning: what was agreed on, and what came. */
#include "cli/base/json_out.h"
#include "cli/base/manifest_file.h"
#include "cli/cmd/commands.h"
#include "cli/show/manifest_facts.h"

#include <string.h>

struct side {
	Cvms__ComputationRunReq *manifest;
	struct manifest_facts facts;
	char *canonical;
	size_t len;
};

static void side_done(struct side *s)
{
	manifest_free(s->manifest);
	manifest_facts_done(&s->facts);
	free(s->canonical);
}
#define CLEANUP_SIDE __attribute__((cleanup(side_done)))

static int side_read(struct side *s, const char *path, struct err *e)
{
	if (manifest_file_read(path, &s->manifest, e) < 0)
		return err_code(e);
	if (manifest_canonical(s->manifest, &s->canonical, &s->len, e) < 0 ||
	    manifest_facts_of(s->manifest, &s->facts, e) < 0)
		return err_wrap(e, "'%s'", path);
	return 0;
}

/* Where what differs goes: JSON with --json, else lines. */
struct report {
	struct cli *cli;
	struct json_out out;
	size_t count;
};

static void tell(struct report *r, const char *what, const char *before, const char *after)
{
	r->count++;
	if (!cli_flag(r->cli, "json")) {
		fprintf(r->cli->out, "%s\n", what);
		if (before)
			fprintf(r->cli->out, "  - %s\n", before);
		if (after)
			fprintf(r->cli->out, "  + %s\n", after);
		return;
	}
	json_out_object(&r->out, NULL);
	json_out_text(&r->out, "what", what);
	if (before)
		json_out_text(&r->out, "a", before);
	if (after)
		json_out_text(&r->out, "b", after);
	json_out_end(&r->out);
}

/* In A's order, and then what B alone says. */
static void compare(struct report *r, const struct manifest_facts *a,
		    const struct manifest_facts *b)
{
	for (size_t i = 0; i < a->count; i++) {
		const char *other = manifest_facts_get(b, a->list[i].what);

		if (!other || strcmp(other, a->list[i].value) != 0)
			tell(r, a->list[i].what, a->list[i].value, other);
	}
	for (size_t i = 0; i < b->count; i++)
		if (!manifest_facts_get(a, b->list[i].what))
			tell(r, b->list[i].what, NULL, b->list[i].value);
}

static bool same_bytes(const struct side *a, const struct side *b)
{
	return a->len == b->len && memcmp(a->canonical, b->canonical, a->len) == 0;
}

static void print_verdict(const struct report *r, bool same_digest)
{
	FILE *out = r->cli->out;

	if (r->count)
		fprintf(out, "differ in %zu thing%s, %s\n", r->count, r->count == 1 ? "" : "s",
			same_digest ? "none of which is in the digest" : "and in the digest");
	else if (same_digest)
		fputs("same: by meaning and digest, whatever their form\n", out);
	else
		fputs("differ: they say the same in another order, or with other words for what is "
		      "meant anyway, and have other digests\n",
		      out);
}

static enum cli_exit run_diff(struct cli *cli, struct err *e)
{
	struct side a CLEANUP_SIDE = { .manifest = NULL }, b CLEANUP_SIDE = { .manifest = NULL };
	struct report r = { .cli = cli };
	bool same;
	int failed = 0;

	if (side_read(&a, cli->operands[0], e) < 0 || side_read(&b, cli->operands[1], e) < 0) {
		cli_hint(cli, "cocos-cli(1) describes the form of a manifest");
		return CLI_USAGE;
	}
	same = same_bytes(&a, &b);
	json_out_init(&r.out);
	json_out_object(&r.out, NULL);
	json_out_bool(&r.out, "same_digest", same);
	json_out_list(&r.out, "differences");
	compare(&r, &a.facts, &b.facts);
	json_out_end(&r.out);
	json_out_end(&r.out);
	if (cli_flag(cli, "json"))
		failed = json_out_print(&r.out, cli->out, e);
	else
		print_verdict(&r, same);
	json_out_done(&r.out);
	if (failed)
		return CLI_USAGE;
	return same && !r.count ? CLI_OK : CLI_FAILED;
}

const struct command cmd_manifest_diff = {
	.name = "manifest diff",
	.args = "A.json B.json",
	.help = "say in what two manifests differ, by meaning",
	.operands_min = 2,
	.operands_max = 2,
	.options = (const struct cli_option[]){ CLI_JSON_OPTION, { .name = NULL } },
	.run = run_diff,
	.more = "Datasets are compared by file name, or where they have none by content; '-' is A, '+' B. What\n"
		"the form alone makes different (spaces, the spelling of digests and keys) does not count.\n"
		"Exit status 0: the same, with the same digest; 1: they differ; 2: one can't be read.",
};
