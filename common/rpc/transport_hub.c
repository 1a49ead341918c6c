/* SPDX-License-Identifier: Apache-2.0 */
/* transport_hub.c — buffers that all transports of a loop share. */
#include "common/rpc/transport.h"

#include <stdlib.h>

int transport_hub_init(struct transport_hub *hub, uv_loop_t *loop, struct err *e)
{
	hub->in = malloc(TRANSPORT_IN);
	if (!hub->in)
		return err_nomem(e);
	hub->loop = loop;
	hub->refs = 1;
	TAILQ_INIT(&hub->kicked);
	uv_idle_init(loop, &hub->idle);
	hub->idle.data = hub;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct transport_hub *hub = handle->data;

	free(hub->in);
	free(hub->out);
	hub->freed(hub);
}

void transport_hub_release(struct transport_hub *hub)
{
	if (--hub->refs == 0)
		uv_close((uv_handle_t *)&hub->idle, on_closed);
}

uint8_t *transport_room(struct transport *t, size_t len)
{
	struct transport_hub *hub = t->hub;

	if (len > hub->out_room - hub->out_len) {
		size_t room = hub->out_room ? hub->out_room : TRANSPORT_OUT;
		uint8_t *grown;

		while (room < hub->out_len + len)
			room *= 2;
		grown = realloc(hub->out, room);
		if (!grown)
			return NULL;
		hub->out = grown;
		hub->out_room = room;
	}
	return hub->out + hub->out_len;
}

void transport_put(struct transport *t, size_t len)
{
	t->hub->out_len += len;
}
