/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_stream.h — bytes that somebody else wrote and that come in pieces, made fit for terminals and pages.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct text_stream {
	uint8_t waits[4]; /* of a character that is not whole yet */
	size_t count;
};

/* Ends of lines and tabs stay, carriage returns are left out; every other character that does not stand for itself
 * (utf8.h), and what is not UTF-8, is a '?' for each byte. A character may come in two pieces. */
void text_stream_print(struct text_stream *stream, FILE *out, const void *bytes, size_t len);

/* Nothing more comes. */
void text_stream_end(struct text_stream *stream, FILE *out);
