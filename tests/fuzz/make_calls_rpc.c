/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_rpc.c — handshakes and exchanges, whole and cut: the corpus of fuzz_rpc_prologue. */
#include "tests/fuzz/make_calls.h"
#include "tests/fuzz/orders_rpc.h"

#include <stdio.h>
#include <string.h>

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"

static void order(struct writer *w, uint8_t what, const char *bytes, size_t len)
{
	writer_u8(w, what);
	writer_u8(w, (uint8_t)len);
	writer_bytes(w, bytes, len);
}

static void shake(struct writer *w)
{
	for (int i = 0; i < 4; i++)
		order(w, SHAKE, "", 0);
}

#define SAYS(w, what, text) order(w, what, text, sizeof(text) - 1)

/* Shakes, says what the exchange hears, and HTTP/2 behind it. */
static void save_exchange(const char *name, uint8_t mode, const char *heard, size_t len)
{
	struct writer w = calls_begin(mode);

	shake(&w);
	order(&w, SAY, heard, len);
	SAYS(&w, SAY, PREFACE);
	order(&w, LIFT, "", 0);
	SAYS(&w, SAY, "x");
	calls_save_to("rpc_prologue", name, &w);
}

void calls_rpc_prologue(void)
{
	static const struct {
		const char *name, *heard;
		size_t len;
	} exchanges[] = {
		{ "pass", "\x10", 1 },
		{ "pass-more",
		  "\x03"
		  "abc\x12"
		  "zz"
		  "tail",
		  11 },
		{ "refuse", "\x20", 1 },
		{ "refuse-unknown", "\xf0", 1 },
		{ "hold", "\x30\x10", 2 },
		{ "answer",
		  "\x45"
		  "hello\x10",
		  7 },
		{ "part",
		  "\x0f"
		  "abc",
		  4 },
	};
	char name[64];
	struct writer w;

	for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
		snprintf(name, sizeof(name), "server-%s", exchanges[i].name);
		save_exchange(name, EXCHANGE, exchanges[i].heard, exchanges[i].len);
		snprintf(name, sizeof(name), "client-%s", exchanges[i].name);
		save_exchange(name, CLIENT_EXCHANGE, exchanges[i].heard, exchanges[i].len);
	}
	/* More than the exchange keeps. */
	w = calls_begin(EXCHANGE);
	shake(&w);
	for (int i = 0; i < 5; i++)
		SAYS(&w, SAY,
		     "\x3f"
		     "0123456789abcdef");
	calls_save_to("rpc_prologue", "too-much", &w);
	for (uint8_t mode = PLAIN; mode < MODES; mode++) {
		w = calls_begin(mode);
		shake(&w);
		SAYS(&w, mode == PLAIN ? RAW : SAY, PREFACE);
		order(&w, CLOCK, "", 0);
		order(&w, DRAIN, "", 0);
		order(&w, CLOCK, "0123456789", 10);
		snprintf(name, sizeof(name), "whole-%u", mode);
		calls_save_to("rpc_prologue", name, &w);
		w = calls_begin(mode); /* each byte by itself */
		for (size_t i = 0; i < 12; i++)
			order(&w, mode == PLAIN ? RAW : SHAKE, &PREFACE[i], 1);
		order(&w, CLOCK, "0123456789abcde", 15);
		snprintf(name, sizeof(name), "slow-%u", mode);
		calls_save_to("rpc_prologue", name, &w);
		w = calls_begin(mode);
		SAYS(&w, RAW, "GET / HTTP/1.1\r\n\r\n");
		order(&w, SHUT, "", 0);
		snprintf(name, sizeof(name), "http1-%u", mode);
		calls_save_to("rpc_prologue", name, &w);
		w = calls_begin(mode);
		SAYS(&w, SHAKE, "\0\0\0\0\1");
		shake(&w);
		SAYS(&w, RAW, "\x16\x03\x01\xff\xff");
		snprintf(name, sizeof(name), "changed-%u", mode);
		calls_save_to("rpc_prologue", name, &w);
		w = calls_begin(mode);
		shake(&w);
		SAYS(&w, RAW, "\x17\x03\x03\0\5abcde");
		snprintf(name, sizeof(name), "record-%u", mode);
		calls_save_to("rpc_prologue", name, &w);
		w = calls_begin(mode);
		shake(&w);
		order(&w, SHUT, "", 0);
		order(&w, DRAIN, "", 0);
		snprintf(name, sizeof(name), "shut-%u", mode);
		calls_save_to("rpc_prologue", name, &w);
	}
	w = calls_begin(TLS); /* a ClientHello of TLS 1.0, without ALPN */
	SAYS(&w, RAW,
	     "\x16\x03\x01\0\x2d\x01\0\0\x29\x03\x01"
	     "0123456789abcdef0123456789abcdef"
	     "\0\0\2\0\x2f\1\0");
	calls_save_to("rpc_prologue", "old-hello", &w);
	w = calls_begin(EXCHANGE); /* still waiting when its time is over */
	shake(&w);
	SAYS(&w, SAY, "\x30");
	memset(name, 0, sizeof(name));
	order(&w, CLOCK, name, 61);
	calls_save_to("rpc_prologue", "late", &w);
}
