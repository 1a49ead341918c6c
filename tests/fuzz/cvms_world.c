/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/cvms_world.h"

#include "agent/journal/journal.h"
#include "agent/keeper/keeper_protocol.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "common/manifest/manifest.h"
#include "common/rpc/channel_state.h"
#include "tests/fuzz/h2_peer.h"
#include "tests/fuzz/keeper_played.h"
#include "tests/fuzz/loop_time.h"
#include "tests/fuzz/orders_cvms.h"

#include <stdio.h>
#include <string.h>

/* So much of each is posted for an input: as much as limits take, and no more. */
enum { ANSWERS_MAX = 2000, LINES_MAX = 64, ENTRIES_MAX = 4000, ROUNDS_MAX = 200, LINE_LEN = 60000 };

/* ---- services ---- */

static struct cvms_link links[CVMS_LINKS_MAX];

uv_loop_t cvms_world_loop;
static size_t link_count;
struct cvms_world_does cvms_world_does;
static bool is_freed;
static unsigned posted, heard;  /* numbers of answers */
static unsigned lines, entries; /* posted */
uint8_t cvms_world_run[SHA256_LEN];
struct cvms *cvms_world_cvms;
static struct postbox box;
static struct journal *journal;
static struct keeper *keeper;
static bool tells_progress;

static void on_answer(unsigned *last, const char *id)
{
	unsigned number = (unsigned)strtoul(id, NULL, 10);

	assert(number && number <= posted);
	assert(*last ? number == *last + 1 : number <= heard + 1);
	*last = number;
	heard = number > heard ? number : heard;
}

static void on_heard(void *data, unsigned call, const uint8_t *bytes, size_t len)
{
	struct cvms_link *l = data;
	Cvms__ClientStreamMessage *m = cvms__client_stream_message__unpack(NULL, len, bytes);

	assert(m);
	switch (m->message_case) {
	case CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_STATE_RES:
		on_answer(&l->streams[call].last, m->agent_state_res->id);
		break;
	case CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_JOURNAL_ENTRIES:
		assert(l->streams[call].journal && m->journal_entries->n_entries > 0);
		assert(m->journal_entries->run.len == sizeof(cvms_world_run));
		memcpy(cvms_world_run, m->journal_entries->run.data, sizeof(cvms_world_run));
		break;
	case CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_PROGRESS:
		assert(l->streams[call].progress);
		break;
	default:
		assert(m->message_case != CVMS__CLIENT_STREAM_MESSAGE__MESSAGE__NOT_SET);
	}
	cvms__client_stream_message__free_unpacked(m, NULL);
}

/* In place of a socket that connects: the other end is a service of ours. */
int __wrap_dial_start(struct rpc_channel *channel, struct err *e);
int __wrap_dial_start(struct rpc_channel *channel, struct err *e)
{
	struct cvms_link *l = &links[link_count];
	int ends[2];

	if (cvms_world_does.refused || link_count == CVMS_LINKS_MAX)
		return err_set(e, ERR_UNAVAILABLE, "nobody is there");
	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	*l = (struct cvms_link){ .grpc = grpc_service_new(ends[1], on_heard, l) };
	link_count++;
	return link_open(channel, ends[0], e);
}

/* Waits are the same each time. */
int __wrap_random_bytes(void *out, size_t len, struct err *e);
int __wrap_random_bytes(void *out, size_t len, struct err *e)
{
	memset(out, 0x5a, len);
	return 0;
}

/* ---- the keeper ---- */

static bool answer_keeper(void)
{
	CLEANUP_WRITER struct writer w = writer_up_to(KEEPER_PIECE_MAX);
	uint8_t packet[KEEPER_REQUEST_MAX];
	ssize_t len = cvms_world_does.keeper == KEEPER_MUTE || keeper_played.sock < 0
			      ? -1
			      : recv(keeper_played.sock, packet, sizeof(packet), MSG_DONTWAIT);

	if (len < KEEPER_HEAD_LEN)
		return false;
	assert(packet[4] == KEEPER_JOURNAL_SIGN);
	writer_bytes(&w, packet, 4);
	writer_u8(&w, cvms_world_does.keeper == KEEPER_REFUSES ? ERR_UNAVAILABLE : 0);
	writer_u8(&w, 0);
	writer_be32(&w, 4);
	writer_text(&w, "head");
	(void)!send(keeper_played.sock, w.bytes, w.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return true;
}

void cvms_world_settle(void)
{
	bool moved = true;

	for (int i = 0; moved && i < ROUNDS_MAX; i++) {
		moved = false;
		peer_spin(&cvms_world_loop);
		while (answer_keeper())
			moved = true;
		for (size_t k = 0; !cvms_world_does.deaf && k < link_count; k++)
			moved |= grpc_service_move(links[k].grpc);
	}
	peer_spin(&cvms_world_loop);
}

/* ---- the agent behind it ---- */

static void post_answer(void)
{
	char id[16];

	if (posted == ANSWERS_MAX)
		return;
	snprintf(id, sizeof(id), "%u", ++posted);
	postbox_state_response(&box, id, "Idle");
	cvms_flush(cvms_world_cvms);
}

static void look_at(const char *text)
{
	assert(text && strlen(text) < MANIFEST_MAX);
}

static bool on_manifest(void *data, struct postbox_subject subject, const void *bytes, size_t len)
{
	const bool good = len && ((const uint8_t *)bytes)[len - 1] & 1;

	assert(data == &box && !is_freed && len <= MANIFEST_MAX);
	look_at(subject.computation);
	postbox_run_response(&box, subject, good ? "" : "refused", "");
	postbox_event(&box, subject, "Received", good ? "Ready" : "\xff", good ? "{}" : NULL);
	post_answer();
	return good;
}

static void on_spoiled(void *data, struct postbox_subject subject, const struct err *e)
{
	assert(data == &box && !is_freed && e->code == ERR_INVALID && e->text[0]);
	look_at(subject.computation);
	postbox_run_response(&box, subject, e->text, "");
	post_answer();
}

static void on_stop(void *data, const char *id)
{
	assert(data == &box && !is_freed);
	look_at(id);
	postbox_stop_response(&box, id, "stopped");
	cvms_forget_manifest(cvms_world_cvms);
	post_answer();
}

static void on_state(void *data, const char *id)
{
	assert(data == &box && !is_freed);
	look_at(id);
	post_answer();
}

static void on_evidence(void *data, const void *nonce, size_t len, int32_t type)
{
	uint8_t sum = 0;

	assert(data == &box && !is_freed);
	for (size_t i = 0; i < len; i++)
		sum ^= ((const uint8_t *)nonce)[i];
	if (type)
		postbox_evidence(&box, NULL, 0, "none");
	else
		postbox_evidence(&box, &sum, 1, "");
	post_answer();
}

static void on_say(void *data, const char *level, const char *text)
{
	assert(data == &box && !is_freed);
	postbox_log(&box, "", level, text, strlen(text));
	cvms_flush(cvms_world_cvms);
}

static const Cvms__ClientStreamMessage *on_progress(void *data, bool anew)
{
	static Cvms__Progress progress = CVMS__PROGRESS__INIT;
	static Cvms__ClientStreamMessage m = CVMS__CLIENT_STREAM_MESSAGE__INIT;

	assert(data == &box && !is_freed);
	m.message_case = CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_PROGRESS;
	m.progress = &progress;
	return anew || tells_progress ? &m : NULL;
}

static const struct cvms_handlers handlers = {
	.manifest = on_manifest,
	.spoiled = on_spoiled,
	.stop = on_stop,
	.state = on_state,
	.evidence = on_evidence,
	.say = on_say,
	.progress = on_progress,
};

static void on_ready(void *data)
{
	cvms_flush(cvms_world_cvms);
}

static void add_entries(bool output, unsigned count)
{
	static char text[1 << 13];
	struct journal_note note = { .type = output ? "output" : "event" };
	struct err e;

	memset(text, 'a', sizeof(text));
	if (output) {
		journal_put_text(&note, "text", text, sizeof(text));
		journal_put_number(&note, "stream", 1);
	} else {
		journal_put_text(&note, "type", "Running", 7);
		journal_put_text(&note, "status", "Ready", 5);
		journal_put_text(&note, "details", text, sizeof(text));
	}
	for (; count > 0 && entries < ENTRIES_MAX; count--, entries++)
		(void)!journal_add(journal, &note, &e);
}

static void begin_journal(uint8_t number)
{
	const uint8_t manifest[SHA3_256_LEN] = { number };
	struct err e;

	assert(journal_begin(journal, number & 1 ? "one" : "two", manifest,
			     (struct span){ (const uint8_t *)"s", 1 }, &e) == 0);
}

void cvms_world_post(uint8_t what, uint8_t operand)
{
	static char line[LINE_LEN];

	memset(line, 'l', sizeof(line));
	switch (what % POSTS) {
	case POST_ANSWERS:
		for (unsigned i = 0; i < operand; i++)
			post_answer();
		break;
	case POST_LINES:
		for (; operand > 0 && lines < LINES_MAX; operand--, lines++)
			postbox_log(&box, "one", "INFO", line, sizeof(line));
		cvms_flush(cvms_world_cvms);
		break;
	case POST_BEGIN:
		begin_journal(operand);
		break;
	case POST_ENTRIES:
		add_entries(true, operand);
		break;
	case POST_EVENTS: /* which are not left out */
		add_entries(false, operand);
		break;
	case POST_END:
		journal_end(journal, "over");
		break;
	case POST_FORGET:
		cvms_forget_manifest(cvms_world_cvms);
		break;
	default:
		tells_progress = operand & 1;
	}
}

/* ---- the world ---- */

static struct config config;

void cvms_world_enter(uint8_t flags)
{
	static const struct keeper_options keeper_options = { .development = true };
	static char url[] = "unix:/proc/nowhere/socket", id[] = "cvm", ca[] = "/etc/certs/ca.pem",
		    pem[] = "none";
	struct cvms_options options = { .loop = &cvms_world_loop,
					.config = &config,
					.postbox = &box,
					.handlers = &handlers,
					.data = &box };
	struct err e;

	config = (struct config){ .cvm_url = url, .cvm_id = flags & FLAG_NO_CVM_ID ? NULL : id };
	if (!cvms_world_loop.data) {
		log_set(LOG_LEVEL_ERROR);
		assert(uv_loop_init(&cvms_world_loop) == 0);
		cvms_world_loop.data = &cvms_world_loop;
	}
	loop_time_reset();
	link_count = 0;
	posted = heard = lines = entries = 0;
	cvms_world_does =
		(struct cvms_world_does){ .refused = flags & FLAG_REFUSED, .keeper = KEEPER_SIGNS };
	is_freed = tells_progress = false;
	assert(keeper_start(&cvms_world_loop, &keeper_options, &keeper, &e) == 0);
	assert(journal_new(&cvms_world_loop, keeper, on_ready, NULL, &journal, &e) == 0);
	options.journal = journal;
	assert(cvms_start(&options, NULL, &cvms_world_cvms, &e) == 0);
	if (flags & FLAG_BAD_CA) { /* nothing is connected with it */
		config.cvm_ca = ca;
		config.boot.files[BOOTCONFIG_CA].bytes = (uint8_t *)pem;
	}
	cvms_world_settle();
}

/* What was not heard is there. */
static void check_box(void)
{
	const Cvms__ClientStreamMessage *m;
	unsigned next = 0;

	postbox_rewind(&box);
	for (; !next && (m = postbox_next(&box)); postbox_handed(&box))
		if (m->message_case == CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_STATE_RES)
			next = (unsigned)strtoul(m->agent_state_res->id, NULL, 10);
	assert(next ? next <= heard + 1 : heard == posted);
}

void cvms_world_leave(void)
{
	cvms_world_does.deaf = false;
	cvms_world_settle();
	check_box();
	cvms_free(TAKE_PTR(cvms_world_cvms));
	is_freed = true;
	keeper_free(keeper);
	journal_free(journal);
	keeper_played_ends();
	close(TAKE_FD(keeper_played.sock));
	for (size_t i = 0; i < link_count; i++)
		grpc_service_free(links[i].grpc);
	peer_spin(&cvms_world_loop);
	assert(!uv_loop_alive(&cvms_world_loop));
	postbox_done(&box);
}

struct cvms_link *cvms_world_link(size_t back)
{
	return back < link_count ? &links[link_count - 1 - back] : NULL;
}
