/* SPDX-License-Identifier: Apache-2.0 */
#include "common/workflow/workflow_spec.h"

#include "common/base/log.h"
#include "common/workflow/workflow_cvm.h"

#include <string.h>

static const char name_characters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";

void workflow_spec_done(struct workflow_spec *spec)
{
	free(spec->nodes);
	free(spec->dependencies);
	json_free(spec->json);
	free(spec->bytes);
	*spec = (struct workflow_spec){ .bytes = NULL };
}

int workflow_name_check(const char *text, const char *what, struct err *e)
{
	size_t len = strlen(text);

	if (!len || len > WORKFLOW_NAME_MAX || strspn(text, name_characters) != len)
		return err_set(e, ERR_INVALID, "%s %s: a name has 1 to %d of A-Z a-z 0-9 _ . : -",
			       what, log_quote(text).text, WORKFLOW_NAME_MAX);
	return 0;
}

const struct workflow_node *workflow_node_find(const struct workflow_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->count; i++)
		if (strcmp(spec->nodes[i].name, name) == 0)
			return &spec->nodes[i];
	return NULL;
}

/* ---- a node's members ---- */

static int take_name(const struct json *object, const char *key, const char **name, struct err *e)
{
	const char *text;

	if (json_get_string(object, key, &text, e) < 0 || workflow_name_check(text, key, e) < 0)
		return err_code(e);
	*name = text;
	return 0;
}

static int take_number(const struct json *object, const char *key, uint64_t min, uint64_t max,
		       uint32_t *number, struct err *e)
{
	uint64_t value;

	if (json_get_u64(object, key, &value, e) < 0)
		return err_code(e);
	if (value < min || value > max)
		return err_set(e, ERR_INVALID, "'%s' is %llu: it goes from %llu to %llu", key,
			       (unsigned long long)value, (unsigned long long)min,
			       (unsigned long long)max);
	*number = (uint32_t)value;
	return 0;
}

static int take_kwargs(const struct workflow_spec *spec, const struct json *object,
		       struct workflow_node *node, struct err *e)
{
	const struct json *kwargs;

	if (json_get_object(object, "kwargs", &kwargs, e) < 0)
		return err_code(e);
	if (kwargs->count > WORKFLOW_KWARGS_MAX)
		return err_set(e, ERR_INVALID, "'kwargs' has %zu members; the limit is %d",
			       kwargs->count, WORKFLOW_KWARGS_MAX);
	node->kwargs = spec->bytes + kwargs->start;
	node->kwargs_len = kwargs->end - kwargs->start;
	return 0;
}

static int take_conditions(const struct json *object, struct workflow_node *node,
			   const struct json **dependencies, struct err *e)
{
	static const char *const known[] = { "executortype", "dependencies", NULL };
	const struct json *conditions;

	if (json_get_object(object, "conditions", &conditions, e) < 0)
		return err_code(e);
	if (json_only_keys(conditions, known, e) < 0 ||
	    take_name(conditions, "executortype", &node->type, e) < 0 ||
	    json_get_array(conditions, "dependencies", dependencies, e) < 0)
		return err_wrap(e, "'conditions'");
	return 0;
}

static int take_members(const struct workflow_spec *spec, const struct json *object,
			struct workflow_node *node, struct err *e)
{
	static const char *const known[] = { "nodename",    "conditions", "funcname", "kwargs",
					     "maxexectime", "maxretries", NULL };
	const struct json *dependencies;

	if (json_only_keys(object, known, e) < 0 ||
	    take_conditions(object, node, &dependencies, e) < 0 ||
	    take_name(object, "funcname", &node->function, e) < 0 ||
	    take_kwargs(spec, object, node, e) < 0 ||
	    take_number(object, "maxexectime", 1, WORKFLOW_SECONDS_MAX, &node->seconds, e) < 0 ||
	    take_number(object, "maxretries", 0, WORKFLOW_RETRIES_MAX, &node->retries, e) < 0)
		return err_code(e);
	node->dependencies_count = dependencies->count;
	return 0;
}

/* As it is named in errors: by its name, or by its place before it has one. */
static int take_node(struct workflow_spec *spec, size_t number, struct err *e)
{
	const struct json *object = &spec->json->items[number];
	struct workflow_node *node = &spec->nodes[number];

	node->is_end = true; /* until another one depends on it */
	node->name = "";
	if (object->type != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "node %zu is %s, not an object", number + 1,
			       json_type_name(object->type));
	if (take_name(object, "nodename", &node->name, e) < 0)
		return err_wrap(e, "node %zu", number + 1);
	if (take_members(spec, object, node, e) < 0)
		return err_wrap(e, "node %s", node->name);
	return 0;
}

/* ---- what they wait for ---- */

struct named {
	const char *name;
	uint16_t number;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static int by_number(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static int sort_names(const struct workflow_spec *spec, struct named *names, struct err *e)
{
	for (size_t i = 0; i < spec->count; i++)
		names[i] = (struct named){ spec->nodes[i].name, (uint16_t)i };
	qsort(names, spec->count, sizeof(*names), by_name);
	for (size_t i = 1; i < spec->count; i++)
		if (strcmp(names[i - 1].name, names[i].name) == 0)
			return err_set(e, ERR_INVALID, "node %s is there twice", names[i].name);
	return 0;
}

static int find_dependency(const struct workflow_spec *spec, const struct named *names,
			   const struct json *item, uint16_t *number, struct err *e)
{
	struct named wanted = { .name = item->text };
	const struct named *found;

	if (item->type != JSON_STRING)
		return err_set(e, ERR_INVALID, "a dependency is %s, not a string",
			       json_type_name(item->type));
	found = bsearch(&wanted, names, spec->count, sizeof(*names), by_name);
	if (!found)
		return err_set(e, ERR_INVALID, "it depends on %s, which is no node",
			       log_quote(item->text).text);
	*number = found->number;
	return 0;
}

static int link_node(struct workflow_spec *spec, const struct named *names, size_t at,
		     uint16_t *room, struct err *e)
{
	const struct json *conditions = json_get(&spec->json->items[at], "conditions");
	const struct json *list = json_get(conditions, "dependencies");
	struct workflow_node *node = &spec->nodes[at];

	for (size_t i = 0; i < list->count; i++) {
		if (find_dependency(spec, names, &list->items[i], &room[i], e) < 0)
			return err_code(e);
		spec->nodes[room[i]].is_end = false;
	}
	qsort(room, list->count, sizeof(*room), by_number);
	for (size_t i = 1; i < list->count; i++)
		if (room[i - 1] == room[i])
			return err_set(e, ERR_INVALID, "it depends on %s twice",
				       spec->nodes[room[i]].name);
	node->dependencies = room;
	return 0;
}

static int link_nodes(struct workflow_spec *spec, struct err *e)
{
	struct named names[WORKFLOW_NODES_MAX];
	size_t count = 0, at = 0;

	for (size_t i = 0; i < spec->count; i++)
		count += spec->nodes[i].dependencies_count;
	if (count > WORKFLOW_DEPENDENCIES_MAX)
		return err_set(e, ERR_INVALID, "%zu dependencies; the limit is %d", count,
			       WORKFLOW_DEPENDENCIES_MAX);
	spec->dependencies = calloc(count + 1, sizeof(*spec->dependencies));
	if (!spec->dependencies)
		return err_nomem(e);
	if (sort_names(spec, names, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < spec->count; i++) {
		if (link_node(spec, names, i, &spec->dependencies[at], e) < 0)
			return err_wrap(e, "node %s", spec->nodes[i].name);
		at += spec->nodes[i].dependencies_count;
	}
	return 0;
}

static bool can_run(const struct workflow_node *node, const bool has_run[WORKFLOW_NODES_MAX])
{
	for (size_t i = 0; i < node->dependencies_count; i++)
		if (!has_run[node->dependencies[i]])
			return false;
	return true;
}

/* As it would run, all that can at once: in a circle, none can. */
static int check_circles(const struct workflow_spec *spec, struct err *e)
{
	bool has_run[WORKFLOW_NODES_MAX] = { false };
	size_t left = spec->count, before, stuck;

	do {
		before = left;
		for (size_t i = 0; i < spec->count; i++)
			if (!has_run[i] && can_run(&spec->nodes[i], has_run)) {
				has_run[i] = true;
				left--;
			}
	} while (left && left < before);
	if (!left)
		return 0;
	for (stuck = 0; has_run[stuck]; stuck++)
		;
	return err_set(e, ERR_INVALID,
		       "node %s: it can never run, for nodes wait for each other in a circle",
		       spec->nodes[stuck].name);
}

/* ---- the whole ---- */

static int read_nodes(struct workflow_spec *spec, struct err *e)
{
	const struct json *json = spec->json;

	if (json->type != JSON_ARRAY)
		return err_set(e, ERR_INVALID, "it is %s, not an array of nodes",
			       json_type_name(json->type));
	if (!json->count || json->count > WORKFLOW_NODES_MAX)
		return err_set(e, ERR_INVALID, "%zu nodes: a workflow has 1 to %d", json->count,
			       WORKFLOW_NODES_MAX);
	spec->nodes = calloc(json->count, sizeof(*spec->nodes));
	if (!spec->nodes)
		return err_nomem(e);
	spec->count = json->count;
	for (size_t i = 0; i < spec->count; i++)
		if (take_node(spec, i, e) < 0)
			return err_code(e);
	if (link_nodes(spec, e) < 0 || check_circles(spec, e) < 0)
		return err_code(e);
	return workflow_cvm_check(spec, e);
}

int workflow_spec_read(const void *bytes, size_t len, struct workflow_spec *spec, struct err *e)
{
	struct workflow_spec got CLEANUP_WORKFLOW_SPEC = { .len = len };

	if (len > WORKFLOW_SPEC_MAX)
		return err_set(e, ERR_INVALID, "workflow: %zu bytes; the limit is %d", len,
			       WORKFLOW_SPEC_MAX);
	got.bytes = malloc(len + 1);
	if (!got.bytes)
		return err_nomem(e);
	if (len)
		memcpy(got.bytes, bytes, len);
	got.bytes[len] = '\0';
	if (json_parse(got.bytes, len, &got.json, e) < 0 || read_nodes(&got, e) < 0) {
		/* A member that is missing is as wrong as one that is too much. */
		if (e->code == ERR_NOT_FOUND)
			e->code = ERR_INVALID;
		return err_wrap(e, "workflow");
	}
	*spec = got;
	got = (struct workflow_spec){ .bytes = NULL };
	return 0;
}
