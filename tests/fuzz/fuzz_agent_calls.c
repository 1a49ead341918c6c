/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole calls to an agent, in any order, on two connections: who calls, with which proof, which bytes, cut
 * where; manifests, stops, ends of runs and a keeper that fails or waits come between them.
 *
 * Input: flags(1), then commands with their operands, as command() reads them. After each one the rules of
 * the state machine hold (check_state()), and what is answered OK was due (check_call()).
 */
#include "agent/core/agent_manifest.h"
#include "agent/core/agent_stop.h"
#include "agent/upload/upload.h"
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/rpc/conn.h"
#include "tests/fuzz/agent_words.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMANDS_MAX = 80, PEERS = 2 };

static struct agent *agent;
static struct user {
	struct grpc_peer *grpc;
	struct rpc_server *server;
	struct made made[GRPC_PEER_CALLS];
} users[PEERS];

/* ---- connections and calls ---- */

static void hang_up(struct user *p)
{
	grpc_peer_free(TAKE_PTR(p->grpc));
	memset(p->made, 0, sizeof(p->made));
}

static bool connect_to(struct user *p)
{
	struct rpc_server *server = world_server();
	const struct listener listener = { .server = server };
	struct err e;
	int ends[2];

	if (p->grpc && p->server == server)
		return true;
	hang_up(p);
	if (!server)
		return false;
	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	assert(conn_accept(server, &listener, ends[0], &e) == 0);
	p->grpc = grpc_peer_new(&world_loop, ends[1], NULL, NULL);
	p->server = server;
	return true;
}

static void call(struct user *p, struct reader *r)
{
	enum method method = reader_u8(r) % METHODS;
	struct made m = { .is_used = true, .method = method, .how = reader_u8(r), .exact = true };
	struct words words = { .count = 0 };
	const struct asset *a;
	int number;

	m.asset = reader_u8(r);
	m.extra = m.asset / WORLD_ASSETS % EXTRAS;
	m.asset %= WORLD_ASSETS;
	m.asset = method == ALGO ? 0 : method == DATA && !m.asset ? 1 : m.asset;
	if (!connect_to(p))
		return;
	m.state = agent->state;
	m.computation = agent->computation;
	a = agent_asset(agent->computation, m.asset);
	if (m.how & HOW_OFFSET && a && a->kept)
		m.at = upload_size(a->kept);
	if (method == RESULT && agent->computation)
		m.fetched = m.asset % 2 < agent->computation->consumer_count &&
			    agent->computation->consumers[m.asset % 2].fetched;
	if (method <= RESULT || method >= LOG || (method == STATUS && m.how))
		agent_words_put(agent, &words, &m);
	number = grpc_peer_call(p->grpc, agent_paths[method], words.words, words.count);
	if (number >= 0)
		p->made[number] = m;
}

static void put_field(struct writer *w, uint8_t number, const void *bytes, size_t len)
{
	writer_u8(w, (uint8_t)(number << 3 | 2));
	for (size_t left = len;; left >>= 7) {
		writer_u8(w, (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0)));
		if (left <= 0x7f)
			break;
	}
	writer_bytes(w, bytes, len);
}

static void put_bytes(struct writer *w, struct made *m, uint8_t flags, size_t want)
{
	const struct world_asset *a = &world_assets[m->asset];
	size_t left = m->at < a->len ? a->len - m->at : 0, len = want < left ? want : left,
	       from = m->at;
	static const uint8_t zeros[WORLD_CONTENT_MAX];

	if (flags & SAY_MUCH) {
		put_field(w, 1, zeros, sizeof(zeros));
	} else if (flags & SAY_OTHER_ASSET) {
		a = &world_assets[(m->asset + 1) % WORLD_ASSETS];
		put_field(w, 1, a->content, a->len);
	} else {
		from = from + (flags & SAY_SHIFTED && len && left > len);
		put_field(w, 1, a->content + from, len);
		m->at += len;
		m->exact &= from == m->at - len;
		return;
	}
	m->exact = false;
}

/* The next bytes of the asset, or some that are not. */
static void say_asset(struct user *p, unsigned number, struct reader *r)
{
	struct made *m = &p->made[number];
	CLEANUP_WRITER struct writer w = writer_up_to(2 * WORLD_CONTENT_MAX);
	uint8_t flags = reader_u8(r);
	size_t want = flags & SAY_ALL ? WORLD_CONTENT_MAX : reader_u8(r) * 16u;
	bool algo = m->method == ALGO, needs = algo && flags & SAY_REQUIREMENTS;
	uint64_t before = m->at;
	const struct span required = agent_requirements(m);
	const char *name = flags & SAY_OTHER_NAME       ? "other"
			   : m->extra == EXTRA_BAD_NAME ? "a/b"
							: world_assets[m->asset].name;

	if (needs) {
		put_field(&w, 2, required.bytes, required.len);
		m->requirements++;
	}
	if (!needs || flags & SAY_BOTH)
		put_bytes(&w, m, flags, want);
	m->exact &= !needs || m->at == before; /* a field of no bytes is none */
	if (!algo && !(flags & SAY_NO_NAME))
		put_field(&w, 2, name, strlen(name) + (m->extra == EXTRA_ZERO_NAME ? 1 : 0));
	m->messages++;
	grpc_peer_say(p->grpc, number, w.bytes, w.len, false);
}

/* A request of the other methods: whole, or empty. */
static void say_request(struct user *p, unsigned number, bool whole)
{
	static const uint8_t some[40] = { 1 };
	enum method method = p->made[number].method;
	CLEANUP_WRITER struct writer w = writer_up_to(512);

	if (whole && (method == ATTESTATION || method == AZURE)) {
		put_field(&w, 1, some, 16);
		put_field(&w, 2, some, 32);
	} else if (whole && method == ACTIVATE) {
		put_field(&w, 1, some, 32);
		put_field(&w, 2, some, 40);
		put_field(&w, 3, some, 40);
	} else if (whole && method == STATUS) {
		writer_u8(&w, 1 << 3); /* python */
		writer_u8(&w, 1);
	} else if (whole) {
		put_field(&w, 1, some, 40);
	}
	grpc_peer_say(p->grpc, number, w.bytes, w.len, false);
}

static void say(struct user *p, unsigned number, struct reader *r)
{
	struct made *m = &p->made[number];

	if (!p->grpc || !m->is_used || m->is_ended)
		return;
	if (m->method <= DATA) {
		say_asset(p, number, r);
		return;
	}
	m->messages++;
	say_request(p, number, reader_u8(r) & 1);
}

static void say_raw(struct user *p, unsigned number, struct reader *r)
{
	bool framed = reader_u8(r) & 1;
	size_t len = reader_u8(r);

	if (!p->grpc || !p->made[number].is_used || p->made[number].is_ended)
		return;
	if (len > reader_left(r))
		len = reader_left(r);
	p->made[number].is_raw = true;
	grpc_peer_say(p->grpc, number, reader_take(r, len), len, !framed);
}

/* ---- what must hold ---- */

static void check_upload(const struct made *m)
{
	const struct world_asset *a = &world_assets[m->asset];
	const uint8_t bad = HOW_WRONG_OFFSET | HOW_OTHER_ROLE | HOW_OTHER_METHOD;

	assert(m->state == STATE_RECEIVING_ALGORITHM || m->state == STATE_RECEIVING_DATA);
	assert((m->how & HOW_AUTH) == AUTH_GOOD && !(m->how & bad));
	/* Of others it is not known here what they said; the file is looked at in every case. */
	assert(m->is_raw || (m->exact && m->at == a->len && m->messages > 0));
	assert(m->extra != EXTRA_TWICE && m->extra != EXTRA_OTHER_DIGEST);
	if (m->method == ALGO)
		assert(m->extra < EXTRA_OTHER_REQUIRED || m->extra > EXTRA_OTHER_BUNDLE);
	else
		assert(m->is_raw || m->extra < EXTRA_ZERO_NAME || m->extra > EXTRA_BAD_NAME);
	if ((m->extra == EXTRA_OTHER_ARGS || m->extra == EXTRA_TWO_ARGS) && m->method == ALGO &&
	    m->computation == agent->computation)
		assert(m->computation->manifest->algorithm->n_algo_args == 0);
	if (m->method == ALGO)
		assert(m->is_raw || m->requirements == (m->how & HOW_PYTHON ? 1 : 0));
	if (m->computation == agent->computation && agent_asset(m->computation, m->asset))
		assert(agent_asset(m->computation, m->asset)->received);
}

static void check_result(const struct made *m, const struct grpc_said *said)
{
	assert((m->how & HOW_AUTH) == AUTH_GOOD && !(m->how & (HOW_OTHER_ROLE | HOW_OTHER_METHOD)));
	assert(!m->fetched && said->bytes > 0);
	assert(m->computation != agent->computation ||
	       said->bytes >= agent->computation->result_size);
}

static void check_call(struct made *m, const struct grpc_said *said)
{
	if (!m->is_used || m->is_judged || !said->is_over)
		return;
	m->is_judged = true;
	if (said->status != ERR_OK)
		return;
	if (m->method <= DATA)
		check_upload(m);
	else if (m->method == RESULT)
		check_result(m, said);
	else if (m->method == LOG || m->method == RECEIPT)
		assert((m->how & HOW_AUTH) == AUTH_GOOD && !(m->how & HOW_OTHER_METHOD));
}

static void check_computation(const struct computation *c)
{
	unsigned placing = 0, fetched = 0;
	bool all = c->algorithm.received;

	for (size_t i = 0; i < c->dataset_count; i++) {
		all &= c->datasets[i].received;
		placing += c->datasets[i].placing;
		assert(!(c->datasets[i].received && c->datasets[i].kept));
	}
	for (size_t i = 0; i < c->consumer_count; i++)
		fetched += c->consumers[i].fetched;
	assert(c->placing <= 2 * WORLD_ASSETS && placing <= WORLD_ASSETS && c->refs > 0);
	switch (agent->state) {
	case STATE_RECEIVING_ALGORITHM:
		assert(!c->algorithm.received && fetched == 0 && !agent->runner);
		break;
	case STATE_RECEIVING_DATA:
		assert(c->algorithm.received && !all && fetched == 0 && !agent->runner);
		break;
	case STATE_RUNNING:
		assert(all && fetched == 0);
		break;
	case STATE_CONSUMING_RESULTS:
		assert(all && fetched < c->consumer_count && c->result_size > 0);
		break;
	case STATE_COMPLETE:
		assert(all && fetched == c->consumer_count);
		break;
	default:
		assert(agent->state == STATE_FAILED);
	}
}

static void check_state(void)
{
	assert(agent->state != STATE_IDLE);
	assert((agent->state == STATE_RECEIVING_MANIFEST) == !agent->computation);
	assert(!agent->runner == !world_has_run());
	assert(agent->uploads.count <= UPLOADS_MAX);
	assert(!agent->listener == !world_server());
	if (agent->computation && !agent->stop_wanted)
		check_computation(agent->computation);
	for (size_t i = 0; i < PEERS; i++)
		for (unsigned n = 0; users[i].grpc && n < GRPC_PEER_CALLS; n++)
			check_call(&users[i].made[n], grpc_peer_said(users[i].grpc, n));
	world_check_files(agent);
}

/* What is kept of an asset never becomes less, unless somebody goes on with it. */
static uint64_t kept[WORLD_ASSETS];
static const struct upload *kept_as[WORLD_ASSETS];

static void check_progress(void)
{
	for (size_t i = 0; i < WORLD_ASSETS; i++) {
		const struct asset *a = agent_asset(agent->computation, i);
		const struct upload *now = a ? a->kept : NULL;

		assert(!now || upload_size(now) <= agent->config->asset_max);
		assert(!now || !kept_as[i] || upload_size(now) >= kept[i]);
		kept_as[i] = now;
		kept[i] = now ? upload_size(now) : 0;
	}
}

/* ---- the commands ---- */

static void drain_postbox(bool arrived)
{
	while (postbox_next(&agent->postbox))
		postbox_handed(&agent->postbox);
	if (arrived)
		postbox_confirm(&agent->postbox, postbox_mark(&agent->postbox));
	else
		postbox_rewind(&agent->postbox);
}

static void take_raw_manifest(struct reader *r)
{
	size_t len = reader_u8(r);
	struct err e;

	if (len > reader_left(r))
		len = reader_left(r);
	(void)agent_manifest_take(agent, (struct postbox_subject){ "raw", 1 }, reader_take(r, len),
				  len);
	err_set(&e, ERR_INVALID, "chunks that do not fit");
	agent_manifest_refuse(agent, (struct postbox_subject){ "spoiled", 1 }, &e);
}

static void command(struct reader *r)
{
	uint8_t what = reader_u8(r), operand;
	struct user *p = &users[what >> 7];
	unsigned number = what >> 3 & 15;

	switch ((enum order)(what & 7)) {
	case ORDER_CALL:
		call(p, r);
		break;
	case ORDER_SAY:
	case ORDER_SAY_TOO:
		say(p, number, r);
		break;
	case ORDER_SAY_RAW:
		say_raw(p, number, r);
		break;
	case ORDER_HALF_CLOSE:
		if (p->grpc && p->made[number].is_used)
			grpc_peer_half_close(p->grpc, number);
		p->made[number].is_ended = true;
		break;
	case ORDER_CANCEL:
		if (p->grpc && p->made[number].is_used)
			grpc_peer_cancel(p->grpc, number);
		break;
	case ORDER_HANG_UP:
		hang_up(p);
		break;
	case ORDER_EVENT:
		operand = reader_u8(r);
		if (number < HAPPEN_RAW_MANIFEST)
			world_manifest(agent, operand | number << 8);
		else if (number < HAPPEN_STOP)
			take_raw_manifest(r);
		else if (number < HAPPEN_RUN_ENDS)
			agent_stop(agent, operand & 1 ? "other" : "one");
		else if (number < HAPPEN_RUN_SAYS)
			world_run_ends(operand & 1);
		else if (number < HAPPEN_KEEPER)
			world_run_says(operand & 1 ? "a line" : "\x1b[2J");
		else if (number < HAPPEN_POSTBOX)
			world_keeper_does(operand % 3);
		else
			drain_postbox(operand & 1);
	}
}

static void move(void)
{
	for (size_t i = 0; i < PEERS; i++)
		if (users[i].grpc)
			grpc_peer_move(users[i].grpc);
	world_settle();
	for (size_t i = 0; i < PEERS; i++)
		if (users[i].grpc)
			grpc_peer_move(users[i].grpc);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct agent one;
	struct reader r = reader_over(bytes, len);
	uint8_t flags = reader_u8(&r);

	if (!agent)
		world_prepare();
	agent = &one;
	world_enter(agent, flags & 1);
	memset(kept_as, 0, sizeof(kept_as));
	for (int i = 0; i < COMMANDS_MAX && reader_ok(&r) && reader_left(&r); i++) {
		command(&r);
		if (flags & 2 && i % 2) /* what comes next comes before this is through */
			continue;
		move();
		check_state();
		check_progress();
	}
	for (size_t i = 0; i < PEERS; i++)
		hang_up(&users[i]);
	world_leave(agent);
	return 0;
}
