/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_journal_verify.c — is a saved journal whole, and whose is it? Without a network if need be. */
#include "attestation/claims/claims.h"
#include "attestation/journal/journal_check.h"
#include "cli/base/json_out.h"
#include "cli/base/judged.h"
#include "cli/base/moment.h"
#include "cli/base/text.h"
#include "cli/base/verdict_line.h"
#include "cli/client/witness_client.h"
#include "cli/cmd/commands.h"
#include "cli/evidence/evidence_options.h"
#include "cli/evidence/receipt_check.h"
#include "cli/show/show_journal.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/timestamp.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <string.h>

/* The journal, once its chain and its head have held. */
struct book {
	uint8_t *bytes;
	size_t len;
	struct journal_check check;
	bool witnessed; /* and what a log of heads says of it */
	struct witness_proof witness;
	struct witness_head log;
	uint64_t receipt; /* entries that a receipt of its run says it had; 0: none was given */
};

static void book_done(struct book *b)
{
	free(b->bytes);
	journal_check_done(&b->check);
}

static int book_read(const char *path, struct book *b, struct err *e)
{
	if (file_read(path, JOURNAL_FILE_MAX, &b->bytes, &b->len, e) < 0)
		return err_code(e);
	if (journal_check_file(&b->check, (struct span){ b->bytes, b->len }, NULL, NULL, e) < 0)
		return err_wrap(e, "'%s'", path);
	return 0;
}

static void print_entry(void *data, const struct journal_entry *entry)
{
	show_journal_entry(entry, data);
}

/* Again, now that it is known to hold. */
static int print_entries(const struct book *b, FILE *out, struct err *e)
{
	struct journal_check again = { .ended = false };
	int failed =
		journal_check_file(&again, (struct span){ b->bytes, b->len }, print_entry, out, e);

	journal_check_done(&again);
	return failed;
}

static void print_hex(FILE *out, const char *name, const uint8_t *bytes, size_t len)
{
	char hex[2 * DIGEST_MAX + 1];

	hex_encode(bytes, len < DIGEST_MAX ? len : DIGEST_MAX, hex);
	fprintf(out, "%s: %s\n", name, hex);
}

static void print_summary(const struct book *b, FILE *out)
{
	const struct journal_check *c = &b->check;

	fprintf(out,
		"%s: %" PRIu64 " entries, as the key in it signed them: none missing, moved or "
		"altered\n",
		c->closed ? "closed" : "open", c->head.count);
	if (!c->closed)
		fprintf(out, "open: nothing proves that it ends here\n");
	fprintf(out, "computation: %s\n", text_plain(c->statement.computation).text);
	print_hex(out, "manifest", c->statement.manifest, SHA3_256_LEN);
}

/* ---- --json: one object, without the entries ---- */

/* {"journal":{…}, left open for the verdict. */
static void put_journal(const struct book *b, struct json_out *out)
{
	const struct journal_check *c = &b->check;

	json_out_object(out, NULL);
	json_out_object(out, "journal");
	json_out_text(out, "computation", c->statement.computation);
	json_out_hex(out, "manifest", c->statement.manifest, SHA3_256_LEN);
	json_out_bool(out, "closed", c->closed);
	json_out_number(out, "entries", c->head.count);
	json_out_hex(out, "digest", c->head.digest, SHA256_LEN);
	if (b->witnessed) {
		json_out_object(out, "witness");
		json_out_number(out, "entries", b->witness.leaf.head.count);
		json_out_number(out, "run", b->witness.leaf.run);
		json_out_number(out, "size", b->log.size);
		json_out_number(out, "time_ms", b->log.time_ms);
		json_out_end(out);
	}
	if (b->receipt) {
		json_out_object(out, "receipt");
		json_out_number(out, "entries", b->receipt);
		json_out_end(out);
	}
	json_out_end(out);
}

/* Of a journal whose evidence is not judged; `reason` NULL: of a yes. */
static int print_json_word(const struct book *b, const char *word, const char *reason, FILE *to,
			   struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	put_journal(b, &out);
	json_out_text(&out, "verdict", word);
	if (reason)
		json_out_text(&out, "reason", reason);
	json_out_end(&out);
	return json_out_print(&out, to, e);
}

static int print_json(const struct book *b, const struct verify_input *in, const struct verdict *v,
		      const struct verify_result *result, FILE *to, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(VERDICT_JSON_MAX);
	CLEANUP_WRITER struct writer claims = writer_up_to(CLAIMS_MAX);
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	put_journal(b, &out);
	if (claims_json(in, result, v, &claims, e) < 0)
		return err_code(e);
	verdict_json(v, (struct span){ claims.bytes, claims.len }, &w);
	if (writer_check(&w, "output", e) < 0 || writer_check(&out.w, "output", e) < 0)
		return err_code(e);
	fprintf(to, "%.*s,%.*s\n", (int)out.w.len, (const char *)out.w.bytes, (int)w.len - 1,
		(const char *)w.bytes + 1);
	return 0;
}

/* Another computation's journal is as well signed. */
static int check_computation(const struct cli *cli, const struct book *b, struct err *e)
{
	const char *wanted = cli_value(cli, "computation"), *found = b->check.statement.computation;

	if (!wanted || strcmp(wanted, found) == 0)
		return 0;
	return err_set(e, ERR_DENIED, "refused: the journal of computation %s, wanted %s",
		       log_quote(found).text, log_quote(wanted).text);
}

/* ---- what a service's log says of it ---- */

static int read_witness(const struct cli *cli, uint8_t **bytes, size_t *len, EVP_PKEY **key,
			struct err *e)
{
	CLEANUP(free) char *pem = NULL;

	if (file_read(cli_value(cli, "witness"), WITNESS_PROOF_MAX, bytes, len, e) < 0)
		return err_wrap(e, "--witness");
	if (file_read_text(cli_value(cli, "witness-key"), PEM_MAX, &pem, e) < 0 ||
	    key_from_public_pem(pem, strlen(pem), key, e) < 0)
		return err_wrap(e, "--witness-key '%s'", cli_value(cli, "witness-key"));
	return 0;
}

static bool is_of(const struct witness_leaf *leaf, const char *computation)
{
	return span_equal(leaf->computation,
			  (struct span){ (const uint8_t *)computation, strlen(computation) });
}

static enum cli_exit check_witness(struct cli *cli, struct book *b, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (!cli_value(cli, "witness"))
		return CLI_OK;
	if (read_witness(cli, &bytes, &len, &key, e) < 0)
		return CLI_USAGE;
	struct witness_proof *proof = &b->witness;
	if (witness_proof_parse((struct span){ bytes, len }, proof, e) < 0)
		return CLI_MALFORMED;
	if (witness_proof_verify(proof, key, &b->log, e) < 0)
		return CLI_NOT_GENUINE;
	if (!is_of(&proof->leaf, b->check.statement.computation)) {
		err_set(e, ERR_DENIED, "refused: the witness is of another computation's journal");
		return CLI_NOT_GENUINE;
	}
	enum cli_exit status =
		witness_compare(&proof->leaf, (struct span){ b->bytes, b->len }, &b->check.head, e);
	b->witnessed = status == CLI_OK;
	proof->leaf.computation = proof->signed_head = (struct span){ NULL, 0 }; /* bytes' */
	return status;
}

static void print_witness(const struct book *b, FILE *out)
{
	char when[TIMESTAMP_TEXT_MAX];

	if (!b->witnessed)
		return;
	timestamp_format((int64_t)(b->log.time_ms / 1000), when);
	fprintf(out,
		"witnessed: %" PRIu64 " entries, as run %" PRIu64 " in a log of %" PRIu64
		" heads, whose key says it was %s\n",
		b->witness.leaf.head.count, b->witness.leaf.run, b->log.size, when);
}

/* ---- what a receipt says of it ---- */

static enum cli_exit check_receipt(struct cli *cli, struct book *b, struct err *e)
{
	const char *path = cli_value(cli, "receipt");
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (!path)
		return CLI_OK;
	if (file_read(path, RECEIPT_MAX, &bytes, &len, e) < 0) {
		err_wrap(e, "--receipt");
		return CLI_USAGE;
	}
	if (receipt_check_journal((struct span){ bytes, len }, (struct span){ b->bytes, b->len },
				  &b->check, &b->receipt, e) == 0)
		return CLI_OK;
	if (e->code == ERR_DENIED)
		return CLI_NOT_GENUINE;
	err_wrap(e, "--receipt");
	return e->code == ERR_INVALID ? CLI_MALFORMED : CLI_FAILED;
}

static void print_receipt(const struct book *b, FILE *out)
{
	if (b->receipt)
		fprintf(out, "receipt: of this run, behind %" PRIu64 " entries\n", b->receipt);
}

/* ---- who stands behind the key ---- */

static int check_statement(const struct journal_check *c, struct eat_bytes run, struct err *e)
{
	uint8_t found[SHA256_LEN];

	if (digest(DIGEST_SHA256, run.bytes, run.len, found, e) < 0)
		return err_code(e);
	if (run.len && memcmp(found, c->statement_digest, SHA256_LEN) == 0)
		return 0;
	return err_set(e, ERR_DENIED,
		       "refused: the evidence in the journal is of another run than its start");
}

/* The nonce that this run's evidence has to be bound to. */
static int bind_evidence(const struct journal_check *c, struct evidence_options *o, struct err *e)
{
	struct eat token = { .spki = NULL };

	if (eat_parse(c->token, c->token_len, &token, e) < 0)
		return err_wrap(e, "the journal's evidence");
	int failed = check_statement(c, token.run, e);
	if (!failed)
		failed = journal_evidence_nonce(token.run.bytes, token.run.len, o->tee, e);
	eat_done(&token);
	o->nonce = (struct binding_nonce){ .tee = o->tee, .tee_len = SHA512_LEN };
	o->input.binding.nonce = &o->nonce;
	return failed;
}

static int read_options(const struct cli *cli, const struct journal_check *c,
			struct evidence_options *o, struct err *e)
{
	if (evidence_trust_read(cli, o, e) < 0 || evidence_policies(cli, "policy", NULL, o, e) < 0)
		return err_code(e);
	if (o->input.policy && o->input.policy->run.relayable)
		return err_set(
			e, ERR_INVALID,
			"--policy: run.agent is stock; such an agent's evidence is over whatever "
			"it is asked, and vouches for nobody's journal");
	o->input.mode = EVIDENCE_EAT;
	o->input.evidence = (struct span){ c->token, c->token_len };
	o->input.genuine_only = cli_flag(cli, "genuine-only");
	o->input.token_at = (int64_t)(c->token_ms / 1000);
	return evidence_moment(cli, o, e);
}

/* Nobody but the journal says when its evidence came. */
static void note_time(const struct journal_check *c, struct verdict *v)
{
	char when[TIMESTAMP_TEXT_MAX];

	timestamp_format((int64_t)(c->token_ms / 1000), when);
	verdict_note(v, NOTE_JOURNAL_TIME,
		     "the journal says its evidence came at %s, by a clock that the machine's host "
		     "sets",
		     when);
}

static void print_verdict(const struct cli *cli, const struct verdict *v,
			  const struct verify_result *r)
{
	FILE *out = cli->out;

	if (verdict_ok(v) && evidence_kind_rows[r->mode].tee == TEE_SNP) {
		print_hex(out, "measurement", r->snp.report.measurement,
			  sizeof(r->snp.report.measurement));
		print_hex(out, "chip", r->snp.report.chip_id, sizeof(r->snp.report.chip_id));
	}
	if (verdict_ok(v) && evidence_kind_rows[r->mode].tee == TEE_TDX && r->tdx.has_quote)
		print_hex(out, "mrtd", r->tdx.quote.body.mrtd, sizeof(r->tdx.quote.body.mrtd));
	verdict_line(cli, out, v, VERDICT_OF_SESSION,
		     "signed by the agent of %s evidence, %zu checks", evidence_kind_name(r->mode),
		     v->count);
}

static enum cli_exit judge(struct cli *cli, const struct book *b, struct evidence_options *o,
			   struct err *e)
{
	CLEANUP(endorsements_free) struct endorsements *n = NULL;
	CLEANUP(free) struct verdict *v = calloc(1, sizeof(*v));
	CLEANUP(free) struct verify_result *result = calloc(1, sizeof(*result));

	if (!v || !result) {
		err_nomem(e);
		return CLI_USAGE;
	}
	if (read_options(cli, &b->check, o, e) < 0)
		return CLI_USAGE;
	if (bind_evidence(&b->check, o, e) < 0)
		return CLI_NOT_GENUINE;
	if (endorse_open(cli, o->input.policy && o->input.policy->offline, &n, e) < 0 ||
	    endorsements_verify(n, &o->input, v, result, NULL, e) < 0)
		return CLI_USAGE;
	note_time(&b->check, v);
	bool json = cli_flag(cli, "json");
	if (json && print_json(b, &o->input, v, result, cli->out, e) < 0)
		return CLI_USAGE;
	if (!json)
		print_verdict(cli, v, result);
	if (!json && verdict_ok(v) && o->input.genuine_only)
		fprintf(cli->out, "nothing is said about what ran\n");
	e->text[0] = '\0';
	return verdict_ok(v) ? CLI_OK : judged_exit(v);
}

static enum cli_exit judge_evidence(struct cli *cli, const struct book *b, struct err *e)
{
	CLEANUP(free) struct evidence_options *o = malloc(sizeof(*o));
	enum cli_exit status;

	if (!o) {
		err_nomem(e);
		return CLI_USAGE;
	}
	evidence_options_init(o);
	status = judge(cli, b, o, e);
	evidence_options_done(o);
	return status;
}

static enum cli_exit answer(struct cli *cli, struct book *b, struct err *e)
{
	enum cli_exit status = check_witness(cli, b, e);

	if (status == CLI_OK)
		status = check_receipt(cli, b, e);
	if (status != CLI_OK)
		return status;
	bool json = cli_flag(cli, "json");
	if (!json && !cli_flag(cli, "quiet") && print_entries(b, cli->out, e) < 0)
		return CLI_FAILED;
	if (!json) {
		print_summary(b, cli->out);
		print_witness(b, cli->out);
		print_receipt(b, cli->out);
	}
	if (check_computation(cli, b, e) < 0)
		return CLI_FAILED;
	if (json && cli_flag(cli, "chain-only"))
		return print_json_word(b, "consistent", NULL, cli->out, e) < 0 ? CLI_USAGE : CLI_OK;
	if (cli_flag(cli, "chain-only")) {
		fprintf(cli->out, "consistent: nothing is said about who signed it\n");
		return CLI_OK;
	}
	if (b->check.token)
		return judge_evidence(cli, b, e);
	static const char why[] =
		"no evidence in it vouches for the key that signed it: anybody could have made it";
	if (json && print_json_word(b, "refused", why, cli->out, e) < 0)
		return CLI_USAGE;
	err_set(e, ERR_DENIED, "refused: %s", why);
	return CLI_NOT_GENUINE;
}

/* What was given and would change nothing was meant to change something. */
static enum cli_exit check_call(const struct cli *cli, struct err *e)
{
	static const char *const beside[] = {
		"chain-only", "computation", "json",    "quiet",
		"receipt",    "verbose",     "witness", "witness-key"
	};

	if (cli_flag(cli, "json") && cli_flag(cli, "quiet"))
		return cli_usage(e, "--json and --quiet: one of them");
	if (!cli_value(cli, "witness") != !cli_value(cli, "witness-key"))
		return cli_usage(e, "--witness and --witness-key: give both or neither");
	for (size_t i = 0; cli_flag(cli, "chain-only") && i < cli->given_count; i++) {
		const char *name = cli->given[i].option->name;
		bool goes = false;

		for (size_t k = 0; k < ARRAY_LEN(beside) && !goes; k++)
			goes = strcmp(name, beside[k]) == 0;
		if (!goes)
			return cli_usage(e, "--chain-only and --%s: one of them", name);
	}
	return evidence_check_genuine(cli, e) < 0 ? CLI_USAGE : CLI_OK;
}

static enum cli_exit run(struct cli *cli, struct err *e)
{
	struct book book = { .bytes = NULL };
	enum cli_exit status = check_call(cli, e);

	if (status != CLI_OK)
		return status;

	if (book_read(cli->operands[0], &book, e) == 0)
		status = answer(cli, &book, e);
	else
		status = book.bytes ? CLI_MALFORMED : CLI_USAGE;
	if (status == CLI_MALFORMED)
		cli_hint(cli, "is it a journal, and all of it? 'cocos-cli journal get ID -o FILE' "
			      "fetches it");
	book_done(&book);
	return status;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "computation", .value = "ID", .help = "whose journal it has to be" },
	{ .name = "policy", .value = "FILE", .times = CLI_MANY, .help = "what to expect of who signed it (JSON)" },
	{ .name = "genuine-only", .help = "only ask whether it is real hardware's, not what runs" },
	{ .name = "chain-only", .help = "only ask whether it is whole, not who signed it" },
	CLI_JSON_OPTION,
	{ .letter = 'q', .name = "quiet", .help = "leave the entries out" },
	{ .name = "witness", .value = "FILE", .help = "the proof that the journal's head is in a service's log ('journal get --witness')" },
	WITNESS_KEY_OPTION,
	{ .name = "receipt", .value = "FILE", .help = "a receipt for results of this run, whose head of the journal has to be in it" },
	EVIDENCE_TRUST_OPTIONS,
	MOMENT_AT_OPTION,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_journal_verify = {
	.name = "journal verify",
	.common = true,
	.args = "FILE",
	.help = "check a saved journal: whole, and signed by whom?",
	.operands_min = 1,
	.operands_max = 1,
	.options = options,
	.run = run,
	.more = "Prints the entries, whether the journal is closed, computation and manifest, and the verdict on the evidence in\n"
		"it, judged as by 'attestation validate'. 'open' means that nothing proves that it ends here.\n"
		"Nobody but the journal says when it was written, and its clock is the host's: everything is judged\n"
		"now, or at the moment that you name (--at), and a note says the journal's time.\n"
		"--witness compares it, offline, with what a service's log said of it when the proof was fetched;\n"
		"--receipt with what the agent said of it when it made the receipt.\n"
		"Exit 4: not whole, 3: not genuine or another history than the log's or the receipt's, 1: not what the policy asks for, 2: a wrong call or an input\n"
		"that can't be used. --chain-only says nothing about who signed it.",
};
