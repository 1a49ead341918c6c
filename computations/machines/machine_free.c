/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/machines/machine_free.h"

#include "common/rpc/stream.h"
#include "computations/machines/machine_task.h"
#include "manager_paths.h"

#include <stdlib.h>
#include <string.h>

const char *const machine_free_tees[MACHINE_FREE_TEES] = { "snp", "tdx", "none" };

static const struct rpc_method method = { PROTO_MANAGER_LIST_HOSTS, RPC_UNARY,
					  &manager__list_hosts_req__descriptor,
					  &manager__list_hosts_res__descriptor };

/* ---- what it said ---- */

static uint64_t left(uint64_t used, uint64_t has)
{
	if (!has)
		return UINT64_MAX;
	return used < has ? has - used : 0;
}

static void add(uint64_t *sum, uint64_t more)
{
	*sum = more > UINT64_MAX - *sum ? UINT64_MAX : *sum + more;
}

static bool takes(const Manager__Host *host, const char *tee)
{
	for (size_t i = 0; i < host->n_tees; i++)
		if (strcmp(host->tees[i], tee) == 0)
			return true;
	return false;
}

static void put(struct machine_free_tee *tee, const struct machine_free_room *room)
{
	if (!tee->is_there || room->memory > tee->most.memory ||
	    (room->memory == tee->most.memory && room->cpus > tee->most.cpus))
		tee->most = *room;
	tee->is_there = true;
	add(&tee->all.cvms, room->cvms);
	add(&tee->all.cpus, room->cpus);
	add(&tee->all.memory, room->memory);
}

/* Where nothing new is launched nothing is free; nor on a host without room for one more. */
static void read_said(const Manager__ListHostsRes *said, struct machine_free *free)
{
	*free = (struct machine_free){ 0 };
	for (size_t i = 0; i < said->n_hosts; i++) {
		const Manager__Host *host = said->hosts[i];
		const struct machine_free_room room = {
			.cvms = left((uint64_t)host->cvms + host->strays, host->cvms_max),
			.cpus = left(host->cpus_used, host->cpus),
			.memory = left(host->memory_used, host->memory),
		};

		if (strcmp(host->state, "connected") != 0 || host->draining || *host->problem)
			continue;
		for (size_t t = 0; t < MACHINE_FREE_TEES; t++)
			if (takes(host, machine_free_tees[t]) && room.cvms && room.cpus &&
			    room.memory)
				put(&free->tees[t], &room);
	}
}

/* ---- the call ---- */

struct asked {
	const char *manager; /* its name; the link's */
	unsigned *open;      /* how many are, of that manager */
	machine_free_fn *answered;
	void *data;
	struct machine_free free;
	bool has_said;
};

static void on_message(struct rpc_stream *stream, const ProtobufCMessage *message)
{
	struct asked *a = rpc_stream_user(stream);

	read_said((const Manager__ListHostsRes *)message, &a->free);
	a->has_said = true;
}

static void on_closed(struct rpc_stream *stream, const struct err *status)
{
	struct asked *a = rpc_stream_user(stream);
	struct err e;

	--*a->open;
	if (status->code == ERR_OK && a->has_said) {
		a->answered(a->data, &a->free, NULL);
	} else {
		(void)err_set(&e, status->code == ERR_OK ? ERR_DATA_LOSS : status->code,
			      "manager %s: %.300s", a->manager,
			      status->code == ERR_OK ? "it answered nothing" : status->text);
		a->answered(a->data, NULL, &e);
	}
	free(a);
}

static const struct rpc_stream_events events = { .message = on_message, .closed = on_closed };

int machine_free_ask(struct machines *machines, size_t manager, machine_free_fn *answered,
		     void *data, struct err *e)
{
	Manager__ListHostsReq request = MANAGER__LIST_HOSTS_REQ__INIT;
	struct manager_link *link = machines->links[manager];
	struct rpc_stream_options options = { .timeout_ms = MACHINE_FREE_MS };
	struct rpc_stream *stream;
	struct asked *a;
	struct err late;

	if (machines->is_stopping)
		return err_set(e, ERR_UNAVAILABLE, "the service is going down");
	if (machines->frees[manager] >= MACHINE_FREE_ASKED_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "manager %s is asked %d times already: try again later",
			       manager_link_name(link), MACHINE_FREE_ASKED_MAX);
	a = calloc(1, sizeof(*a));
	if (!a)
		return err_nomem(e);
	a->manager = manager_link_name(link);
	a->open = &machines->frees[manager];
	a->answered = answered;
	a->data = data;
	options.user = a;
	if (rpc_stream_open(manager_link_channel(link), &method, &events, &options, &stream, e) <
	    0) {
		free(a);
		return err_code(e);
	}
	++*a->open;
	/* If it is over already, closed() says why. */
	(void)!rpc_stream_send(stream, &request.base, &late);
	return 0;
}
