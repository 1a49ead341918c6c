/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ports.h — which ports of the range go to which CVM.
 *
 * Any thread may call. A port that was given back is used again last, so that a late client of one
 * CVM does not reach another.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdint.h>

struct ports;

/* `host` is an IPv4 address. */
int ports_new(const char *host, uint16_t first, uint16_t last, struct ports **ports,
	      struct err *e) MUST_CHECK;
void ports_free(struct ports *ports);
DEFINE_CLEANUP(struct ports *, ports_free)

/* A port that neither we nor, at this moment, another program on this host uses; ERR_EXHAUSTED
 * if there is none. */
int ports_take(struct ports *ports, uint16_t *port, struct err *e) MUST_CHECK;

/* One of another host, where nobody can look whether it is free. */
int ports_take_remote(struct ports *ports, uint16_t *port, struct err *e) MUST_CHECK;

/* How many such ports there are. */
unsigned ports_left(struct ports *ports);

/* Marks one that is known to be in use; outside the range it does nothing. */
void ports_mark(struct ports *ports, uint16_t port);
void ports_give(struct ports *ports, uint16_t port);
