/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_journal_get.c — a computation's journal from the service that keeps it: as a file, or as it grows.
 * What it sends is checked entry by entry; who signed it, 'journal verify' says. */
#include "attestation/journal/journal_check.h"
#include "cli/base/number.h"
#include "cli/base/output.h"
#include "cli/client/computation_client.h"
#include "cli/client/witness_client.h"
#include "cli/cmd/commands.h"
#include "cli/show/show_journal.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <unistd.h>

enum { FOLLOW_S = 1 };

/* What came so far. */
struct fetched {
	const char *id; /* that was asked for */
	struct journal_check check;
	struct writer file; /* entries as in a saved journal */
	uint64_t run;       /* that was asked for, or else that of the first page; 0: none yet */
	uint8_t head[JOURNAL_SIGNED_MAX];
	size_t head_len;
	bool witnessed; /* the log of journals' heads is asked, too */
	bool proves;    /* and has to have this one */
	size_t shown;   /* of `file` */
	bool failed;    /* the computation, by what was shown */
};

static void fetched_done(struct fetched *f)
{
	journal_check_done(&f->check);
	writer_done(&f->file);
}

/* Another's journal is as well signed: it has to be this one's. */
static int check_whose(const struct fetched *f, struct err *e)
{
	const char *found = f->check.statement.computation;

	if (!f->check.head.count || (found && strcmp(found, f->id) == 0))
		return 0;
	return err_set(e, ERR_DATA_LOSS,
		       "the service sent the journal of computation %s in place of %s",
		       found ? log_quote(found).text : "(none)", log_quote(f->id).text);
}

static int take_run(struct fetched *f, uint64_t run, struct err *e)
{
	if (f->run && run != f->run)
		return err_set(e, ERR_DATA_LOSS,
			       "the service sent run %" PRIu64 " in place of run %" PRIu64, run,
			       f->run);
	f->run = run;
	return 0;
}

static int take_entries(struct fetched *f, const Computations__JournalResponse *page, struct err *e)
{
	for (size_t i = 0; i < page->n_entries && f->check.head.count < page->count; i++) {
		const struct span item = { page->entries[i].data, page->entries[i].len };
		struct journal_entry entry;
		bool is_entry;

		if (journal_check_item(&f->check, item, &entry, &is_entry, e) < 0)
			return err_wrap(e, "the service's journal");
		if (!is_entry)
			return err_set(e, ERR_DATA_LOSS, "the service sent a head for an entry");
		journal_put_item(&f->file, item);
	}
	return writer_check(&f->file, "journal", e);
}

static int take_head(struct fetched *f, const Computations__JournalResponse *page, struct err *e)
{
	const struct span head = { page->signed_head.data, page->signed_head.len };
	struct journal_entry entry;
	bool is_entry;

	if (head.len > sizeof(f->head))
		return err_set(e, ERR_DATA_LOSS, "the service sent no signed head");
	if (journal_check_item(&f->check, head, &entry, &is_entry, e) < 0)
		return err_wrap(e, "the service's journal");
	if (is_entry)
		return err_set(e, ERR_DATA_LOSS, "the service sent an entry for a signed head");
	memcpy(f->head, head.bytes, head.len);
	f->head_len = head.len;
	return 0;
}

/* One page; `*more` says whether there is another. */
static int take_page(struct fetched *f, const Computations__JournalResponse *page, bool *more,
		     struct err *e)
{
	uint64_t before = f->check.head.count;

	if (take_run(f, page->run, e) < 0 || take_entries(f, page, e) < 0 || check_whose(f, e) < 0)
		return err_code(e);
	if (page->count < f->check.head.count)
		return err_set(e, ERR_DATA_LOSS,
			       "the service had %" PRIu64 " entries and now has %" PRIu64,
			       f->check.head.count, page->count);
	*more = f->check.head.count < page->count;
	if (*more && f->check.head.count == before)
		return err_set(e, ERR_DATA_LOSS,
			       "the service has %" PRIu64 " of %" PRIu64 " entries", before,
			       page->count);
	if (!*more && f->check.signed_head.count < f->check.head.count)
		return take_head(f, page, e);
	return 0;
}

static int fetch(struct client *client, struct fetched *f, struct err *e)
{
	bool more = true;

	while (more) {
		Computations__JournalRequest request = COMPUTATIONS__JOURNAL_REQUEST__INIT;
		ProtobufCMessage *response;

		request.id = (char *)(uintptr_t)f->id;
		request.after = f->check.head.count;
		request.run = f->run;
		if (client_call(client, &computation_journal, &request.base, &response, e) < 0)
			return err_code(e);
		int failed =
			take_page(f, (const Computations__JournalResponse *)response, &more, e);
		protobuf_c_message_free_unpacked(response, NULL);
		if (failed)
			return failed;
	}
	return 0;
}

/* ---- the log of journals' heads ---- */

/* Whoever names its key or wants a proof of this journal asks, and whoever saw that log before: an account that
 * never did would believe any. */
static int begin_witness(const struct client *client, struct fetched *f, struct err *e)
{
	if (!f->proves && !cli_value(client->cli, "witness-key"))
		return witness_is_kept(client, &f->witnessed, e);
	f->witnessed = true;
	return 0;
}

static int open_client(struct cli *cli, struct client *client, struct fetched *f, struct err *e)
{
	const char *run = cli_value(cli, "run");

	f->id = cli->operands[0];
	f->file = writer_up_to(JOURNAL_FILE_MAX);
	if (run && (!number_decimal(run, &f->run) || !f->run))
		return err_set(e, ERR_INVALID, "--run: give a number from 1 on");
	if (client_open(client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return err_code(e);
	return begin_witness(client, f, e);
}

/* First: what the log says, the journal has to reach. */
static enum cli_exit ask_witness(struct client *client, struct fetched *f,
				 struct witness_seen *seen, struct err *e)
{
	enum cli_exit status;

	if (!f->witnessed)
		return CLI_OK;
	status = witness_ask(client, f->id, f->run, seen, e);
	/* One that has no entry yet has no head there. */
	if (status == CLI_FAILED && e->code == ERR_NOT_FOUND && seen->response && !f->proves)
		return CLI_OK;
	if (status == CLI_OK)
		f->run = seen->proof.leaf.run;
	return status;
}

/* The journal is the one that the log has, and the one that was seen before. */
static enum cli_exit compare(const struct fetched *f, const struct witness_seen *seen,
			     struct err *e)
{
	const struct span entries = { f->file.bytes, f->file.len };
	const struct witness_leaf *now = &seen->proof.leaf;
	enum cli_exit status;

	if (!seen->has_proof)
		return CLI_OK;
	status = witness_compare(now, entries, &f->check.head, e);
	for (size_t i = 0; i < seen->kept.count && status == CLI_OK; i++) {
		const struct witness_leaf *before = &seen->kept.leaves[i];

		/* It is longer only where another call kept it after this journal was sent. */
		if (witness_kept_is_of(before, now->computation, now->run) &&
		    before->head.count <= f->check.head.count)
			status = witness_compare(before, entries, &f->check.head, e);
	}
	return status;
}

/* Twice: what another call has kept meanwhile counts, too. */
static enum cli_exit check_witness(struct client *client, const struct fetched *f,
				   struct witness_seen *seen, struct err *e)
{
	enum cli_exit status = CLI_OK;

	if (!seen->response)
		return CLI_OK;
	status = compare(f, seen, e);
	seen->compared = status == CLI_OK;
	if (status == CLI_OK)
		status = witness_keep(client, seen, e);
	return status == CLI_OK ? compare(f, seen, e) : status;
}

static enum cli_exit ask_and_fetch(struct client *client, struct fetched *f,
				   struct witness_seen *seen, struct err *e)
{
	enum cli_exit status = ask_witness(client, f, seen, e);

	if (status != CLI_OK || fetch(client, f, e) == 0)
		return status;
	computation_hint(client, e);
	return CLI_FAILED;
}

/* A service logs a journal's first head and its final one in the moment in which it has the entries. */
static bool is_behind(const struct fetched *f, const struct witness_seen *seen)
{
	uint64_t logged = seen->has_proof ? seen->proof.leaf.head.count : 0;

	return f->witnessed && (!logged || f->check.closed) && logged < f->check.head.count;
}

/* What the service has beyond what came, as far as its log goes along with it. */
static enum cli_exit fetch_witnessed(struct client *client, struct fetched *f,
				     struct witness_seen *seen, struct err *e)
{
	enum cli_exit status = ask_and_fetch(client, f, seen, e);

	if (status == CLI_OK && is_behind(f, seen)) {
		/* It began or ended since the log was asked, or the log keeps it from us. */
		witness_seen_done(seen);
		status = ask_and_fetch(client, f, seen, e);
	}
	if (status != CLI_OK)
		return status;
	if (!is_behind(f, seen))
		return check_witness(client, f, seen, e);
	err_set(e, ERR_DENIED,
		"refused: the %s journal has %" PRIu64
		" entries, and the service's log has no such head of it",
		f->check.closed ? "closed" : "open", f->check.head.count);
	return CLI_NOT_GENUINE;
}

/* ---- get ---- */

static int write_witness(struct cli *cli, const struct witness_seen *seen, struct err *e)
{
	const ProtobufCBinaryData *proof;

	if (!cli_value(cli, "witness"))
		return 0;
	proof = &seen->response->proof;
	if (output_write(cli, cli_value(cli, "witness"), proof->data, proof->len, e) < 0)
		return err_code(e);
	fprintf(stderr,
		"witnessed: %" PRIu64 " entries of run %" PRIu64 ", in a log of %" PRIu64
		" heads\n",
		seen->proof.leaf.head.count, seen->proof.leaf.run, seen->proof_size);
	return 0;
}

static enum cli_exit get_witnessed(struct cli *cli, struct client *client, struct fetched *f,
				   struct witness_seen *seen, struct err *e)
{
	enum cli_exit status = fetch_witnessed(client, f, seen, e);

	if (status != CLI_OK)
		return status;
	if (!f->head_len) {
		err_set(e, ERR_NOT_FOUND, "the service has no journal of this computation yet");
		cli_hint(cli,
			 "it begins when a CVM has the computation: 'cocos-cli computation show "
			 "ID' says where it stands, 'journal follow ID' waits");
		return CLI_FAILED;
	}
	journal_put_item(&f->file, (struct span){ f->head, f->head_len });
	if (writer_check(&f->file, "journal", e) < 0 ||
	    output_write(cli, cli_value(cli, "output"), f->file.bytes, f->file.len, e) < 0)
		return CLI_FAILED;
	fprintf(stderr, "%s: %" PRIu64 " entries\n", f->check.closed ? "closed" : "open",
		f->check.head.count);
	return write_witness(cli, seen, e) < 0 ? CLI_FAILED : CLI_OK;
}

static enum cli_exit get(struct cli *cli, struct client *client, struct fetched *f, struct err *e)
{
	CLEANUP(free) struct witness_seen *seen = calloc(1, sizeof(*seen));
	enum cli_exit status;

	if (!seen) {
		err_nomem(e);
		return CLI_FAILED;
	}
	status = get_witnessed(cli, client, f, seen, e);
	witness_seen_done(seen);
	return status;
}

/* A terminal shows none. */
static enum cli_exit check_target(struct cli *cli, struct err *e)
{
	const char *path = cli_value(cli, "output");

	if ((!path || strcmp(path, "-") == 0) && cli->out == stdout && isatty(STDOUT_FILENO)) {
		cli_hint(cli, "-o FILE keeps it; 'cocos-cli journal follow %s' shows what it says",
			 cli->operands[0]);
		return cli_usage(e, "a journal is not for a terminal");
	}
	return CLI_OK;
}

static enum cli_exit run_get(struct cli *cli, struct err *e)
{
	enum cli_exit target = check_target(cli, e);
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct fetched f = { .proves = cli_value(cli, "witness") };
	enum cli_exit status;

	if (target != CLI_OK)
		return target;
	status = open_client(cli, &client, &f, e) < 0 ? CLI_USAGE : get(cli, &client, &f, e);
	fetched_done(&f);
	return status;
}

/* ---- follow ---- */

/* What comes behind it is about the stop, which may come in days, or never. */
static bool is_failure(const struct journal_entry *entry)
{
	static const char word[] = "Failed";
	const struct journal_field *status = journal_field_of(&entry->note, "status");

	return strcmp(entry->note.type, "event") == 0 && status &&
	       span_equal(status->bytes, (struct span){ (const uint8_t *)word, strlen(word) });
}

/* Only what a signed head covers is shown. */
static int show_new(struct fetched *f, FILE *out, struct err *e)
{
	struct reader r = reader_over(f->shown ? f->file.bytes + f->shown : f->file.bytes,
				      f->file.len - f->shown);

	while (reader_left(&r)) {
		struct journal_entry entry;
		struct span item;

		if (journal_take_item(&r, &item, e) < 0 || journal_entry_parse(item, &entry, e) < 0)
			return err_code(e);
		show_journal_entry(&entry, out);
		f->failed = f->failed || is_failure(&entry);
	}
	if (f->witnessed)
		f->shown = f->file.len; /* it is compared whole */
	else
		f->file.len = 0;
	return fflush(out) == 0 ? 0 : err_errno(e, "standard output");
}

/* By the service's word. If it says nothing, that ends nothing. */
static bool has_ended(struct client *client)
{
	Computations__ComputationRequest request = COMPUTATIONS__COMPUTATION_REQUEST__INIT;
	ProtobufCMessage *response;
	struct err ignored;
	bool ended;

	request.id = (char *)(uintptr_t)client->cli->operands[0];
	if (client_call(client, &computation_show, &request.base, &response, &ignored) < 0) {
		client->cli->hint[0] = '\0';
		return false;
	}
	ended = ((const Computations__Computation *)response)->finished;
	protobuf_c_message_free_unpacked(response, NULL);
	return ended;
}

/* None is begun any more: it was stopped or failed before an agent had it, or its agent writes none. */
static enum cli_exit refuse_without(struct cli *cli, struct err *e)
{
	cli_hint(cli, "'cocos-cli computation show %s' says how it ended", cli->operands[0]);
	err_set(e, ERR_NOT_FOUND, "the computation has ended, and has no journal");
	return CLI_FAILED;
}

static enum cli_exit follow(struct cli *cli, struct client *client, struct fetched *f,
			    struct err *e)
{
	CLEANUP(free) struct witness_seen *seen = malloc(sizeof(*seen));
	bool said = false;
	unsigned ended = 0; /* times in a row without a journal: what is on its way has one more */

	if (!seen) {
		err_nomem(e);
		return CLI_FAILED;
	}
	for (;;) {
		*seen = (struct witness_seen){ .address = NULL };
		ended = !f->head_len && has_ended(client) ? ended + 1 : 0;
		enum cli_exit status = fetch_witnessed(client, f, seen, e);

		witness_seen_done(seen);
		if (status != CLI_OK)
			return status;
		if (!f->head_len && ended > 1)
			return refuse_without(cli, e);
		if (show_new(f, cli->out, e) < 0)
			return CLI_FAILED;
		if (!f->head_len && !said)
			fprintf(stderr, "no entry yet: waiting for the first\n");
		said = true;
		if (f->check.closed)
			return CLI_OK;
		if (f->failed) {
			fprintf(stderr, "the computation has failed: its journal stays open until "
					"it is stopped\n");
			return CLI_OK;
		}
		sleep(FOLLOW_S);
	}
}

static enum cli_exit run_follow(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct fetched f = { .run = 0 };
	enum cli_exit status =
		open_client(cli, &client, &f, e) < 0 ? CLI_USAGE : follow(cli, &client, &f, e);

	fetched_done(&f);
	return status;
}

/* clang-format off */
#define RUN_OPTION \
	{ .name = "run", .value = "NUMBER", \
	  .help = "of a computation that was run again: which run, from 1 (the newest)" }

static const struct cli_option get_options[] = {
	OUTPUT_OPTION,
	RUN_OPTION,
	{ .name = "witness", .value = "FILE", .writes = true, .help = "check the service's log of journals' heads, and write there that this one is in it" },
	WITNESS_KEY_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};

static const struct cli_option follow_options[] = {
	RUN_OPTION,
	WITNESS_KEY_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_journal_get = {
	.name = "journal get",
	.args = "ID",
	.help = "fetch the journal of a computation, for 'journal verify'",
	.operands_min = 1,
	.operands_max = 1,
	.options = get_options,
	.run = run_get,
	.more = "With --witness the service has to prove that the journal's newest head is in its log of heads, and that\n"
		"the log goes on from the one that was seen before ('journal witness'). Without it that is checked,\n"
		"too, where --witness-key is given or this account has seen the service's log before. Exit 3: it does\n"
		"not, or the journal is another than the log's; then nothing is written.",
};

const struct command cmd_journal_follow = {
	.name = "journal follow",
	.args = "ID",
	.help = "print a journal's entries as they come, until it is closed or tells of a failure",
	.operands_min = 1,
	.operands_max = 1,
	.options = follow_options,
	.run = run_follow,
	.more = "Where --witness-key is given, or this account has seen the service's log of heads before, entries are\n"
		"shown as far as that log goes along with them, as with 'journal get'; exit 3 where it does not.",
};
