/* SPDX-License-Identifier: Apache-2.0 */
/* A channel's link to a server that is played by hand, frame by frame. */
#include "common/base/reader.h"
#include "common/rpc/channel_state.h"
#include "common/rpc/stream.h"
#include "tests/interop/methods.h"
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAME_HEAD = 9, MESSAGE = 4 << 20, TURNS = 50 };

struct room {
	uv_loop_t loop;
	struct rpc_channel *channel;
	int fd; /* the server's end */
	unsigned closed;
	enum err_code code;
	uint8_t *bytes; /* all that the client has sent */
	size_t len;
};

static void on_closed(struct rpc_stream *s, const struct err *status)
{
	struct room *room = rpc_stream_user(s);

	room->closed++;
	room->code = status->code;
}

static const struct rpc_stream_events events = { .closed = on_closed };
static const struct rpc_method streaming_input = TEST_STREAMING_INPUT_CALL;

static void spin(struct room *room)
{
	for (unsigned i = 0; i < TURNS; i++)
		uv_run(&room->loop, UV_RUN_NOWAIT);
}

/* A server whose windows are as wide as HTTP/2 has them. */
static void open_room(struct room *room)
{
	static const uint8_t greeting[] = {
		0,    0,
		6,    NGHTTP2_SETTINGS,
		0,    0,
		0,    0,
		0, /* */
		0,    NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
		0x7f, 0xff,
		0xff, 0xff, /* */
		0,    0,
		4,    NGHTTP2_WINDOW_UPDATE,
		0,    0,
		0,    0,
		0, /* */
		0x7f, 0xff,
		0,    0,
	};
	const struct rpc_channel_config config = { .target = "unix:/proc/nowhere/socket" };
	struct err e;
	int ends[2];

	*room = (struct room){ 0 };
	assert_int_equal(uv_loop_init(&room->loop), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	assert_int_equal(rpc_channel_new(&room->loop, &config, &room->channel, &e), 0);
	assert_int_equal(link_open(room->channel, ends[0], &e), 0);
	room->fd = ends[1];
	assert_int_equal(write(room->fd, greeting, sizeof(greeting)), sizeof(greeting));
	spin(room);
	assert_true(rpc_channel_is_ready(room->channel));
}

static void close_room(struct room *room)
{
	rpc_channel_free(room->channel);
	while (uv_run(&room->loop, UV_RUN_ONCE))
		;
	assert_int_equal(uv_loop_close(&room->loop), 0);
	if (room->fd >= 0)
		close(room->fd);
	free(room->bytes);
}

/* Everything that the client still wants to send. */
static void read_all(struct room *room)
{
	for (unsigned quiet = 0; quiet < TURNS;) {
		uint8_t piece[1 << 16];
		ssize_t n = read(room->fd, piece, sizeof(piece));

		uv_run(&room->loop, UV_RUN_NOWAIT);
		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			quiet++;
			continue;
		}
		quiet = 0;
		room->bytes = realloc(room->bytes, room->len + (size_t)n);
		assert_non_null(room->bytes);
		memcpy(room->bytes + room->len, piece, (size_t)n);
		room->len += (size_t)n;
	}
}

/* Bytes of whole DATA frames; `resets` counts what ends the stream, which nothing may follow. */
static size_t count_data(const struct room *room, unsigned *resets)
{
	const size_t magic = sizeof(NGHTTP2_CLIENT_MAGIC) - 1;
	struct reader r = reader_over(room->bytes, room->len);
	size_t data = 0;

	*resets = 0;
	(void)reader_take(&r, magic);
	while (reader_left(&r) > 0) {
		size_t len = (size_t)reader_u8(&r) << 16;
		uint8_t type;

		len |= reader_be16(&r);
		type = reader_u8(&r);
		(void)reader_take(&r, FRAME_HEAD - 4 + len);
		if (type == NGHTTP2_DATA) {
			assert_int_equal(*resets, 0);
			data += len;
		}
		*resets += type == NGHTTP2_RST_STREAM;
	}
	assert_true(reader_done(&r));
	return data;
}

/* The frame that nghttp2 has begun has no bytes any more when it is that frame's turn. */
static void a_stream_is_cancelled_while_its_frame_waits(void **state)
{
	struct room room;
	const struct rpc_stream_options options = { .user = &room };
	struct rpc_stream *s;
	unsigned resets;
	size_t data;
	struct err e;

	open_room(&room);
	assert_int_equal(rpc_stream_open(room.channel, &streaming_input, &events, &options, &s, &e),
			 0);
	assert_int_equal(rpc_stream_send_bytes(s, NULL, 1, calloc(1, MESSAGE), MESSAGE, &e), 0);
	spin(&room);
	assert_true(rpc_stream_queued(s) > 0);
	rpc_stream_cancel(s);
	spin(&room);
	assert_int_equal(room.closed, 1);
	assert_int_equal(room.code, ERR_CANCELLED);
	read_all(&room);
	data = count_data(&room, &resets);
	assert_true(data > 0 && data < MESSAGE);
	assert_int_equal(resets, 1);
	assert_true(rpc_channel_is_ready(room.channel));
	close_room(&room);
}

/* The server goes with our bytes unread: what it said before is read first, the error after it. */
static void an_end_behind_bytes_is_seen(void **state)
{
	static const uint8_t half_a_head[5] = { 0, 0, 4, 8, 0 };
	struct rpc_stream_options options = { 0 };
	struct rpc_stream *s;
	struct room room;
	struct err e;

	open_room(&room);
	options.user = &room;
	assert_ok(rpc_stream_open(room.channel, &streaming_input, &events, &options, &s, &e), e);
	spin(&room);
	assert_int_equal(write(room.fd, half_a_head, sizeof(half_a_head)), sizeof(half_a_head));
	close(room.fd);
	room.fd = -1;
	spin(&room);
	assert_int_equal(room.closed, 1);
	assert_int_equal(room.code, ERR_UNAVAILABLE);
	assert_false(rpc_channel_is_ready(room.channel));
	close_room(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_is_cancelled_while_its_frame_waits),
		cmocka_unit_test(an_end_behind_bytes_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
