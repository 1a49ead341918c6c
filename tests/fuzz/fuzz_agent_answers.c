/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client of an agent does while that answers as the input says: uploads, questions, waiting, evidence; over
 * connections that break, with evidence that is asked for again. Input: as orders_answers.h has it; the agent is
 * agent_answering.h, which says what is held against the client.
 *
 * An upload has succeeded only if the agent took all bytes of it, in one call, and is there already only if it is theirs who
 * sends; evidence only if so much came as was announced.
 */
#include "attestation/channel/attested_reattest.h"
#include "cli/client/agent_evidence.h"
#include "cli/client/agent_waiting.h"
#include "cli/client/attested.h"
#include "cli/client/first_contact.h"
#include "cli/client/upload.h"
#include "common/base/log.h"
#include "tests/fuzz/agent_answering.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMANDS_MAX = 32, SMALL = 5, LARGE = UPLOAD_CHUNK + 100, REQUIRED = 70000 };
static const uint64_t tick_ns = 300 * UINT64_C(1000000), minute_ns = 60 * UINT64_C(1000000000);

static uint8_t content[LARGE];
static struct answering_asset assets[ANSWERS_ASSETS + 1] = {
	[ANSWERS_ASSET_SMALL] = { .len = SMALL },
	[ANSWERS_ASSET_LARGE] = { .len = LARGE },
	[ANSWERS_ASSETS] = { .len = REQUIRED }
};
static int files[ANSWERS_ASSETS + 1];
static FILE *nowhere;

/* ---- time ---- */

unsigned __wrap_sleep(unsigned seconds);
unsigned __wrap_sleep(unsigned seconds)
{
	answering.now += seconds * UINT64_C(1000000000);
	return 0;
}

uint64_t __wrap_uv_hrtime(void);
uint64_t __wrap_uv_hrtime(void)
{
	return answering.now += tick_ns;
}

int __real_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_end, uint64_t ms, uint64_t again);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_end, uint64_t ms, uint64_t again);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_end, uint64_t ms, uint64_t again)
{
	answering.now += ms * UINT64_C(1000000);
	return __real_uv_timer_start(timer, on_end, 0, again);
}

/* ---- what evidence is worth ---- */

struct appraise {
	struct credential credential;
};
static struct appraise appraise;

int __wrap_appraise_new(const struct cli *cli, const struct appraise_settings *settings,
			struct appraise **made, struct err *e);
int __wrap_appraise_new(const struct cli *cli, const struct appraise_settings *settings,
			struct appraise **made, struct err *e)
{
	if (cli_value(cli, "attestation-policy"))
		return err_set(e, ERR_NOT_FOUND, "no policy");
	*made = &appraise;
	return 0;
}

void __wrap_appraise_free(struct appraise *a);
void __wrap_appraise_free(struct appraise *a)
{
}

const uint8_t *__wrap_appraise_context(const struct appraise *a);
const uint8_t *__wrap_appraise_context(const struct appraise *a)
{
	return NULL;
}

void __wrap_appraise_allow_pending(struct appraise *a, bool allow);
void __wrap_appraise_allow_pending(struct appraise *a, bool allow)
{
	answering.may_pend = allow;
}

bool __wrap_appraise_wants_log(const struct appraise *a);
bool __wrap_appraise_wants_log(const struct appraise *a)
{
	return answering.proof == PROOF_PENDING && answering.wants_log;
}

bool __wrap_appraise_wants_credential(const struct appraise *a);
bool __wrap_appraise_wants_credential(const struct appraise *a)
{
	return answering.proof == PROOF_PENDING && answering.wants_credential;
}

int __wrap_appraise_set_log(struct appraise *a, const void *bytes, size_t len, struct err *e);
int __wrap_appraise_set_log(struct appraise *a, const void *bytes, size_t len, struct err *e)
{
	assert(!len || bytes);
	answering.has_log = len > 0;
	return len ? 0 : err_set(e, ERR_INVALID, "an event log of 0 bytes");
}

int __wrap_appraise_challenge(struct appraise *a, const struct span *ek_certs, size_t count,
			      const struct credential **credential, struct err *e);
int __wrap_appraise_challenge(struct appraise *a, const struct span *ek_certs, size_t count,
			      const struct credential **credential, struct err *e)
{
	assert(count <= APPRAISE_EK_CERTS_MAX);
	if (!count)
		return err_set(e, ERR_DENIED, "no EK");
	*credential = &a->credential;
	return 0;
}

int __wrap_appraise_answer(struct appraise *a, const void *bytes, size_t len, struct err *e);
int __wrap_appraise_answer(struct appraise *a, const void *bytes, size_t len, struct err *e)
{
	answering.has_answer = len == CREDENTIAL_SECRET_LEN;
	return answering.has_answer ? 0 : err_set(e, ERR_INVALID, "no secret");
}

int __wrap_appraise_again(struct appraise *a, struct err *e);
int __wrap_appraise_again(struct appraise *a, struct err *e)
{
	assert(answering.proof == PROOF_PENDING);
	assert(answering.has_log || !answering.wants_log);
	assert(answering.has_answer || !answering.wants_credential);
	answering.is_fresh = reader_u8(answering.in) % 2 == 0;
	answering.proof = answering.is_fresh ? PROOF_STANDS : PROOF_NONE;
	return answering.is_fresh ? 0 : err_set(e, ERR_DENIED, "attestation: no");
}

void __wrap_appraise_forget(struct appraise *a, bool another_chance);
void __wrap_appraise_forget(struct appraise *a, bool another_chance)
{
	answering.proof = another_chance ? PROOF_FORGOTTEN : PROOF_NONE;
}

bool __wrap_appraise_is_forgotten(const struct appraise *a);
bool __wrap_appraise_is_forgotten(const struct appraise *a)
{
	return answering.proof == PROOF_FORGOTTEN;
}

bool __wrap_appraise_is_verified(const struct appraise *a);
bool __wrap_appraise_is_verified(const struct appraise *a)
{
	return answering.proof == PROOF_STANDS;
}

bool __wrap_appraise_takes_stock(const struct appraise *a);
bool __wrap_appraise_takes_stock(const struct appraise *a)
{
	return answering.how & ANSWERS_STOCK;
}

bool __wrap_appraise_takes_given_key(const struct appraise *a);
bool __wrap_appraise_takes_given_key(const struct appraise *a)
{
	return answering.how & ANSWERS_GIVEN_KEY;
}

uint32_t __wrap_appraise_tls_groups(const struct appraise *a);
uint32_t __wrap_appraise_tls_groups(const struct appraise *a)
{
	return 0;
}

uint8_t __wrap_appraise_wire_type(const struct appraise *a);
uint8_t __wrap_appraise_wire_type(const struct appraise *a)
{
	return 1;
}

void __wrap_appraise_tell(const struct appraise *a, const struct cli *cli, FILE *to);
void __wrap_appraise_tell(const struct appraise *a, const struct cli *cli, FILE *to)
{
	assert(answering.proof == PROOF_STANDS);
}

/* ---- a client ---- */

/* clang-format off */
static const struct cli_option options[] = {
	WAIT_OPTION,
	GRACE_OPTION,
	ROLE_SIGNATURE_OPTION,
	CLIENT_AGENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */
static const struct command command = { .name = "fuzz", .options = options };

static void give(struct cli *cli, const char *name, const char *value)
{
	struct err e;

	assert(cli_give(cli, name, value, &e) == 0);
}

/* How it can't be opened. */
static void give_wrong(struct cli *cli, uint8_t which)
{
	static const struct {
		const char *name, *value;
		bool attested;
	} rows[ANSWERS_WRONGS - 1] = { { "grpc-url", "http://a:1", true },
				       { "reattest", "1ms", true },
				       { "reattest", "x", true },
				       { "attestation-policy", "/nowhere", true },
				       { "attestation-policy", "/nowhere", false } };

	which %= ANSWERS_WRONGS;
	if (which == ANSWERS_WRONGS - 1) {
		assert(setenv("AGENT_GRPC_ATTESTED_TLS", "maybe", 1) == 0);
		return;
	}
	give(cli, rows[which].name, rows[which].value);
	if (rows[which].attested)
		give(cli, "attested-tls", NULL);
}

static int open_client(struct client *client, struct cli *cli, struct reader *r, struct err *e)
{
	const bool attested = answering.how & ANSWERS_ATTESTED,
		   by_option = !(answering.how & ANSWERS_VERBOSE);

	cli_init(cli, &command);
	cli->verbose = answering.how & ANSWERS_VERBOSE;
	assert(unsetenv("AGENT_GRPC_ATTESTED_TLS") == 0);
	if (answering.how & ANSWERS_WRONG)
		give_wrong(cli, reader_u8(r));
	else if (!by_option)
		assert(setenv("AGENT_GRPC_ATTESTED_TLS", attested ? "1" : "false", 1) == 0);
	else if (attested)
		give(cli, "attested-tls", NULL);
	if (answering.how & ANSWERS_ROLE)
		give(cli, "role-signature", NULL);
	if (answering.how & ANSWERS_WAIT)
		give(cli, "wait", "10s");
	if (attested_open(client, cli, e) < 0) {
		assert(answering.how & ANSWERS_WRONG && *e->text);
		return err_code(e);
	}
	assert(!(answering.how & ANSWERS_WRONG));
	client->tls = attested || answering.how & ANSWERS_TLS;
	return 0;
}

/* ---- an upload ---- */

static int describe(const struct upload *u, const Agent__StatusResponse *status,
		    struct rpc_metadata *metadata, struct writer *parameters, struct err *e)
{
	assert(!status == u->role_signature);
	proof_parameter_text(parameters, "filename", "a");
	return 0;
}

static int send_piece(const struct upload *u, struct rpc_sync *sync, bool requirements,
		      uint8_t *bytes, size_t len, struct err *e)
{
	return rpc_sync_send_bytes(sync, NULL, requirements ? 2 : 1, bytes, len, e);
}

/* As of cmd_algo.c. */
static int check(const struct upload *u, const Agent__StatusResponse *status, uint64_t *kept,
		 struct err *e)
{
	const Agent__StatusAsset *row = status->algorithm;

	if (!row || row->hash.len != SHA3_256_LEN)
		return err_set(e, ERR_PRECONDITION, "no manifest");
	if (memcmp(row->hash.data, u->asset->digest, SHA3_256_LEN) != 0)
		return err_set(e, ERR_INVALID, "another algorithm");
	if (row->received)
		return upload_is_there(u, status, e);
	*kept = row->bytes_kept <= u->asset->size && !u->requirements ? row->bytes_kept : 0;
	return 0;
}

static struct asset asset_of(unsigned which)
{
	struct asset asset = { .fd = files[which],
			       .size = assets[which].len,
			       .digested = true,
			       .name = (char *)(uintptr_t)"a" };

	memcpy(asset.digest, assets[which].digest, sizeof(asset.digest));
	return asset;
}

static int deliver(struct client *client, uint8_t which, bool only_wait, uint8_t wanted,
		   struct err *e)
{
	struct asset asset = asset_of(which % ANSWERS_ASSETS), more = asset_of(ANSWERS_ASSETS);
	const struct upload upload = { .method = &agent_algo,
				       .role = PROOF_ROLE_ALGORITHM,
				       .label = "sending",
				       .key = answering.key,
				       .asset = &asset,
				       .requirements =
					       which & ANSWERS_MORE && !only_wait ? &more : NULL,
				       .role_signature = answering.how & ANSWERS_ROLE,
				       .describe = describe,
				       .send = send_piece,
				       .check = check };
	const struct agent_waiting waiting = { client, wanted % (AGENT_WANTED_END + 1),
					       answering.key,
					       which & ANSWERS_MORE ? &upload : NULL };
	int failed;

	answering.asset = &assets[which % ANSWERS_ASSETS];
	answering.requirements = upload.requirements ? &assets[ANSWERS_ASSETS] : NULL;
	answering.is_taken = false;
	if (only_wait)
		return agent_waiting_check(client->cli, e) < 0 ? err_code(e)
							       : agent_waiting_run(&waiting, e);
	answering.whose = WHOSE_UNSAID;
	failed = upload_run(client, &upload, e);
	assert(failed || answering.is_taken);
	/* What is there already is a success for its owner alone. */
	assert(answering.whose != WHOSE_YOURS || err_is(failed, ERR_EXISTS));
	assert(answering.whose != WHOSE_ANOTHERS || err_is(failed, ERR_DENIED));
	return failed;
}

/* ---- questions ---- */

static int ask(struct client *client, uint8_t as, struct err *e)
{
	Agent__ForgetRequest forget = AGENT__FORGET_REQUEST__INIT;
	Agent__LogRequest log = AGENT__LOG_REQUEST__INIT;
	ProtobufCMessage *response;
	int failed = as & 1 ? agent_client_ask_as(client, PROOF_ROLE_DATA, &agent_forget,
						  answering.key, &forget.base, &response, e)
			    : agent_client_ask(client, &agent_log, answering.key, &log.base,
					       &response, e);

	if (!failed)
		protobuf_c_message_free_unpacked(response, NULL);
	return failed;
}

static int fetch(struct client *client, uint8_t type, bool ima, struct err *e)
{
	CLEANUP_WRITER struct writer file = writer_up_to(1 << 20), beside = writer_up_to(64);
	const struct agent_evidence wanted = { .type = type };
	int failed = attested_ready(client, e);

	if (failed)
		return failed;
	failed = ima ? agent_evidence_ima(client, &file, &beside, e)
		     : agent_evidence_fetch(client, &wanted, &file, e);
	assert(failed || (answering.is_taken && file.len == answering.streamed && !file.bad));
	return failed;
}

static int contact(struct client *client, struct err *e)
{
	const char *name = NULL;
	bool is_meant = false;

	if (first_contact_ask(client, &name, &is_meant, e) < 0)
		return err_code(e);
	assert(name || !is_meant);
	return 0;
}

static int status(struct client *client, struct err *e)
{
	CLEANUP(agent_status_free) Agent__StatusResponse *s = NULL;

	return agent_client_python(client, &s, e);
}

static int run(struct client *client, enum answers_order order, uint8_t operand, struct err *e)
{
	switch (order) {
	case ANSWERS_ORDER_UPLOAD:
		return deliver(client, operand, false, 0, e);
	case ANSWERS_ORDER_WAIT:
		return deliver(client, (operand & ANSWERS_MORE) | ANSWERS_ASSET_SMALL, true,
			       operand % ANSWERS_MORE, e);
	case ANSWERS_ORDER_ASK:
		return ask(client, operand, e);
	case ANSWERS_ORDER_EVIDENCE:
	case ANSWERS_ORDER_IMA:
		return fetch(client, operand, order == ANSWERS_ORDER_IMA, e);
	case ANSWERS_ORDER_CONTACT:
		return contact(client, e);
	case ANSWERS_ORDER_AGAIN:
		return attested_ready(client, e) < 0 ? err_code(e) : attested_again(client, e);
	case ANSWERS_ORDER_STATE:
		answering.state = operand;
		break;
	case ANSWERS_ORDER_KEPT:
		answering.kept = (uint64_t)operand << 16;
		break;
	case ANSWERS_ORDER_TIME:
		answering.now += operand * minute_ns;
		break;
	case ANSWERS_ORDER_DROP:
		answering_drop(operand);
		break;
	default:
		return status(client, e);
	}
	return 0;
}

static void set_up(void)
{
	struct err e;

	log_set(LOG_LEVEL_ERROR);
	nowhere = fopen("/dev/null", "w");
	assert(nowhere);
	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (uint8_t)(i * 7 + (i >> 13));
	for (size_t i = 0; i < ARRAY_LEN(assets); i++) {
		files[i] = memfd_create("asset", MFD_CLOEXEC);
		assert(files[i] >= 0 &&
		       write(files[i], content, assets[i].len) == (ssize_t)assets[i].len);
		assets[i].bytes = content;
		assert(digest(DIGEST_SHA3_256, content, assets[i].len, assets[i].digest, &e) == 0);
	}
	answering_open();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	FILE *const said = stderr;
	struct client client = { .loop = NULL };
	struct cli cli;
	struct err e;

	if (!nowhere)
		set_up();
	answering_begin(&r, reader_u8(&r));
	stderr = nowhere;
	if (open_client(&client, &cli, &r, &e) == 0)
		for (int i = 0; i < COMMANDS_MAX && reader_left(&r); i++) {
			const enum answers_order order = reader_u8(&r) % ANSWERS_ORDERS;

			e = (struct err){ .code = ERR_OK };
			cli.hint[0] = 0;
			assert(run(&client, order, reader_u8(&r), &e) == 0 || e.code != ERR_OK);
		}
	client_close(&client);
	cli_done(&cli);
	stderr = said;
	return 0;
}
