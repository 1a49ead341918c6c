/* SPDX-License-Identifier: Apache-2.0 */
/* session_ids.c — whose agents are here, as the pool's thread has it. */
#include "computations/core/session.h"

#include <string.h>

static bool is_arriving(const struct session *s)
{
	return !s->forwarder && s->call && rpc_call_is_open(s->call);
}

static char **ids_of(const struct service *service, bool (*counts)(const struct session *s))
{
	char **ids = calloc(service->session_count + 1, sizeof(*ids));
	const struct session *s;
	size_t n = 0;

	if (!ids)
		return NULL;
	TAILQ_FOREACH(s, &service->sessions, next)
		if (counts(s) && !(ids[n++] = strdup(s->cvm_id))) {
			session_ids_free(ids);
			return NULL;
		}
	return ids;
}

char **session_ids(const struct service *service)
{
	return ids_of(service, session_is_there);
}

char **session_ids_arriving(const struct service *service)
{
	return ids_of(service, is_arriving);
}

void session_ids_free(char **ids)
{
	for (size_t i = 0; ids && ids[i]; i++)
		free(ids[i]);
	free(ids);
}

bool session_ids_have(char *const *ids, const char *cvm_id)
{
	for (size_t i = 0; ids[i]; i++)
		if (strcmp(ids[i], cvm_id) == 0)
			return true;
	return false;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t session_ids_sort(char **ids)
{
	size_t count = 0;

	while (ids[count])
		count++;
	qsort(ids, count, sizeof(*ids), compare);
	return count;
}

bool session_ids_find(char *const *ids, size_t count, const char *cvm_id)
{
	return bsearch(&cvm_id, ids, count, sizeof(*ids), compare) != NULL;
}
