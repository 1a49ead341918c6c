/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport_io.h — the bytes of a transport: socket or TLS. For transport.c.
 */
#pragma once

#include "common/rpc/transport.h"

/* 1: done, 0: not yet, negative: failed. */
int transport_handshake(struct transport *t, struct err *e) MUST_CHECK;

/* 1: `*len` bytes are in the hub's input buffer, 0: nothing more now, negative: lost. With 1 comes
 * whether the socket had no more: to ask it again would be a system call for nothing. */
int transport_read(struct transport *t, size_t *len, bool *is_drained, struct err *e) MUST_CHECK;

/* Writes; what the socket does not take is kept in t->pending. 0, or negative: lost. */
int transport_write(struct transport *t, const uint8_t *bytes, size_t len,
		    struct err *e) MUST_CHECK;

/* 1: nothing is pending any more, 0: still something, negative: lost. */
int transport_write_pending(struct transport *t, struct err *e) MUST_CHECK;

/* TLS close_notify, if the socket takes it. */
void transport_say_goodbye(struct transport *t);
