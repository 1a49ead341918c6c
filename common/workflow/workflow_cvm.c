/* SPDX-License-Identifier: Apache-2.0 */
#include "common/workflow/workflow_cvm.h"

#include "common/base/log.h"

#include <string.h>

static const char *const types[] = { "bin", "python", "wasm", "docker" };

void workflow_cvm_done(struct workflow_cvm *cvm)
{
	json_free(cvm->json);
	cvm->json = NULL;
}

bool workflow_cvm_is(const struct workflow_node *node)
{
	return strcmp(node->type, "cvm") == 0 || strncmp(node->type, "cvm:", 4) == 0;
}

/* ---- its members ---- */

/* "HOST:PORT", "[::1]:PORT": whether anybody is there is found out later. */
static int take_agent(const struct json *object, struct workflow_cvm *cvm, struct err *e)
{
	const char *text, *colon;
	size_t digits;

	if (json_get_string(object, "agent", &text, e) < 0)
		return err_code(e);
	colon = strrchr(text, ':');
	digits = colon ? strspn(colon + 1, "0123456789") : 0;
	/* Of a socket's path, which is no host. */
	if (strncmp(text, "unix:", 5) == 0 || !colon || colon == text ||
	    strlen(text) > WORKFLOW_CVM_ADDRESS_MAX || !digits || digits > 5 || colon[1 + digits] ||
	    colon[1] == '0' || strtoul(colon + 1, NULL, 10) > UINT16_MAX ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-[]") !=
		    strlen(text))
		return err_set(e, ERR_INVALID, "'agent' %s: it is HOST:PORT", log_quote(text).text);
	cvm->agent = text;
	return 0;
}

static int take_policy(const struct json *object, struct workflow_cvm *cvm, struct err *e)
{
	size_t len;

	if (json_get_string(object, "policy", &cvm->policy, e) < 0)
		return err_code(e);
	len = strlen(cvm->policy);
	if (!len || len > WORKFLOW_CVM_POLICY_MAX)
		return err_set(e, ERR_INVALID,
			       "'policy' has %zu bytes: it is the text of a policy, of 1 to %d",
			       len, WORKFLOW_CVM_POLICY_MAX);
	return 0;
}

static int take_type(const struct json *object, struct workflow_cvm *cvm, struct err *e)
{
	bool is_known = false, is_python;

	if (json_get_string(object, "type", &cvm->type, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		is_known = is_known || strcmp(types[i], cvm->type) == 0;
	if (!is_known)
		return err_set(e, ERR_INVALID, "'type' %s: it is bin, python, wasm or docker",
			       log_quote(cvm->type).text);
	/* Whoever brings a Python algorithm brings its requirements, too, which are code that sees all inputs. */
	is_python = strcmp(cvm->type, "python") == 0;
	cvm->has_requirements = json_get(object, "requirements") != NULL;
	if (cvm->has_requirements != is_python)
		return err_set(e, ERR_INVALID,
			       is_python ? "'requirements' is missing: the SHA3-256 of what a "
					   "python algorithm is brought with"
					 : "'requirements' is for type python alone");
	if (!is_python)
		return 0;
	return json_get_hex(object, "requirements", cvm->requirements, SHA3_256_LEN, e);
}

static int take_args(const struct workflow_node *node, const struct json *object,
		     struct workflow_cvm *cvm, struct err *e)
{
	size_t bytes = strlen(node->function) + 1;
	const struct json *list;

	if (json_get_array(object, "args", &list, e) < 0)
		return err_code(e);
	if (list->count > WORKFLOW_CVM_ARGS_MAX)
		return err_set(e, ERR_INVALID, "'args' has %zu; the limit is %d", list->count,
			       WORKFLOW_CVM_ARGS_MAX);
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].type != JSON_STRING)
			return err_set(e, ERR_INVALID, "'args' has %s, not a string",
				       json_type_name(list->items[i].type));
		cvm->args[i] = list->items[i].text;
		bytes += strlen(cvm->args[i]) + 1;
	}
	if (bytes > WORKFLOW_CVM_ARG_BYTES_MAX)
		return err_set(e, ERR_INVALID,
			       "'args' has %zu bytes with funcname; the limit is %d", bytes,
			       WORKFLOW_CVM_ARG_BYTES_MAX);
	cvm->arg_count = list->count;
	return 0;
}

/* As many as dependencies, and one of each: so there is no other. */
static int take_owners(const struct workflow_spec *spec, const struct workflow_node *node,
		       const struct json *object, struct workflow_cvm *cvm, struct err *e)
{
	const struct json *owners;

	if (json_get_object(object, "owners", &owners, e) < 0)
		return err_code(e);
	if (owners->count != node->dependencies_count)
		return err_set(e, ERR_INVALID, "'owners' has %zu keys: it depends on %zu nodes",
			       owners->count, node->dependencies_count);
	for (size_t i = 0; i < node->dependencies_count; i++)
		if (json_get_hex(owners, spec->nodes[node->dependencies[i]].name, cvm->owners[i],
				 WORKFLOW_CVM_KEY_LEN, e) < 0)
			return err_wrap(e, "'owners'");
	return 0;
}

/* Who fetches the results is who runs the one node that depends on it; where there is none, the submitter. */
static int take_consumer(const struct workflow_node *node, const struct json *object,
			 struct workflow_cvm *cvm, struct err *e)
{
	cvm->has_consumer = json_get(object, "consumer") != NULL;
	if (cvm->has_consumer && node->is_end)
		return err_set(e, ERR_INVALID,
			       "'consumer' is of a node that another depends on: of this one the "
			       "results are the submitter's");
	if (node->is_end)
		return 0;
	if (!cvm->has_consumer)
		return err_set(e, ERR_INVALID,
			       "'consumer' is missing: a node depends on it, and its executor's "
			       "key fetches the results");
	return json_get_hex(object, "consumer", cvm->consumer, WORKFLOW_CVM_KEY_LEN, e);
}

static int take_all(const struct workflow_spec *spec, const struct workflow_node *node,
		    struct workflow_cvm *cvm, struct err *e)
{
	static const char *const outer[] = { "cvm", NULL };
	static const char *const known[] = { "agent",    "policy", "algorithm",
					     "type",     "args",   "requirements",
					     "launcher", "owners", "consumer",
					     NULL };
	const struct json *object;

	if (json_only_keys(cvm->json, outer, e) < 0 ||
	    json_get_object(cvm->json, "cvm", &object, e) < 0)
		return err_code(e);
	if (json_only_keys(object, known, e) < 0 || take_agent(object, cvm, e) < 0 ||
	    take_policy(object, cvm, e) < 0 ||
	    json_get_hex(object, "algorithm", cvm->algorithm, SHA3_256_LEN, e) < 0 ||
	    take_type(object, cvm, e) < 0 || take_args(node, object, cvm, e) < 0 ||
	    json_get_hex(object, "launcher", cvm->launcher, WORKFLOW_CVM_KEY_LEN, e) < 0 ||
	    take_owners(spec, node, object, cvm, e) < 0 || take_consumer(node, object, cvm, e) < 0)
		return err_wrap(e, "'cvm'");
	return 0;
}

/* ---- its place ---- */

static bool depends_on(const struct workflow_node *node, size_t other)
{
	for (size_t i = 0; i < node->dependencies_count; i++)
		if (node->dependencies[i] == other)
			return true;
	return false;
}

/* An agent hands results out once, to one consumer. */
static int check_next(const struct workflow_spec *spec, const struct workflow_node *node,
		      struct err *e)
{
	const struct workflow_node *next = NULL;

	for (size_t i = 0; i < spec->count; i++) {
		if (!depends_on(&spec->nodes[i], (size_t)(node - spec->nodes)))
			continue;
		if (next)
			return err_set(e, ERR_INVALID,
				       "its results are handed out once: %s and %s can't both "
				       "depend on it",
				       next->name, spec->nodes[i].name);
		next = &spec->nodes[i];
	}
	if (workflow_cvm_is(next))
		return err_set(e, ERR_INVALID,
			       "its results can't go into another CVM at once: between it and %s "
			       "there has to be a node of an executor",
			       next->name);
	if (next->retries)
		return err_set(e, ERR_INVALID,
			       "'maxretries' of node %s is %u: it gets results of a CVM, which are "
			       "handed out once, so it is 0",
			       next->name, next->retries);
	if (node->name[0] == '.')
		return err_set(e, ERR_INVALID, "its name begins with a dot");
	return 0;
}

static int check_place(const struct workflow_spec *spec, const struct workflow_node *node,
		       struct err *e)
{
	if (!node->dependencies_count || node->dependencies_count > WORKFLOW_CVM_INPUTS_MAX)
		return err_set(e, ERR_INVALID,
			       "it depends on %zu nodes: one that is computed in a CVM depends on "
			       "1 to %d",
			       node->dependencies_count, WORKFLOW_CVM_INPUTS_MAX);
	for (size_t i = 0; i < node->dependencies_count; i++)
		if (spec->nodes[node->dependencies[i]].name[0] == '.')
			return err_set(e, ERR_INVALID, "an input's name begins with a dot");
	return node->is_end ? 0 : check_next(spec, node, e);
}

int workflow_cvm_read(const struct workflow_spec *spec, const struct workflow_node *node,
		      struct workflow_cvm *cvm, struct err *e)
{
	struct workflow_cvm got CLEANUP_WORKFLOW_CVM = { .json = NULL };

	if (check_place(spec, node, e) < 0 ||
	    json_parse(node->kwargs, node->kwargs_len, &got.json, e) < 0)
		return err_code(e);
	if (take_all(spec, node, &got, e) < 0) {
		if (e->code == ERR_NOT_FOUND)
			e->code = ERR_INVALID;
		return err_wrap(e, "'kwargs'");
	}
	*cvm = got;
	got.json = NULL;
	return 0;
}

/* A slip of the pen by which inputs would be sealed for who starts the CVM. */
static int check_type(const struct workflow_node *node, struct err *e)
{
	if (workflow_cvm_is(node) ||
	    (strcasecmp(node->type, "cvm") != 0 && strncasecmp(node->type, "cvm:", 4) != 0))
		return 0;
	return err_set(
		e, ERR_INVALID,
		"'executortype' %s: of what is computed in a CVM it is cvm, or begins with cvm:",
		node->type);
}

/* What goes into a CVM goes nowhere else. */
static int check_inputs(const struct workflow_spec *spec, const struct workflow_node *cvm,
			struct err *e)
{
	for (size_t i = 0; i < spec->count; i++) {
		const struct workflow_node *other = &spec->nodes[i];

		for (size_t k = 0; other != cvm && k < other->dependencies_count; k++)
			for (size_t n = 0; n < cvm->dependencies_count; n++)
				if (cvm->dependencies[n] == other->dependencies[k])
					return err_set(e, ERR_INVALID,
						       "the output of %s is for its CVM: node %s "
						       "can't depend on that, too",
						       spec->nodes[cvm->dependencies[n]].name,
						       other->name);
	}
	return 0;
}

int workflow_cvm_check(const struct workflow_spec *spec, struct err *e)
{
	for (size_t i = 0; i < spec->count; i++) {
		struct workflow_cvm cvm CLEANUP_WORKFLOW_CVM = { .json = NULL };
		const struct workflow_node *node = &spec->nodes[i];

		if (check_type(node, e) < 0 ||
		    (workflow_cvm_is(node) && (workflow_cvm_read(spec, node, &cvm, e) < 0 ||
					       check_inputs(spec, node, e) < 0)))
			return err_wrap(e, "node %s", node->name);
	}
	return 0;
}

const struct workflow_node *workflow_cvm_after(const struct workflow_spec *spec, size_t node,
					       size_t *place)
{
	for (size_t i = 0; i < spec->count; i++)
		for (size_t k = 0; k < spec->nodes[i].dependencies_count; k++)
			if (spec->nodes[i].dependencies[k] == node &&
			    workflow_cvm_is(&spec->nodes[i])) {
				*place = k;
				return &spec->nodes[i];
			}
	return NULL;
}

bool workflow_cvm_before(const struct workflow_spec *spec, const struct workflow_node *node)
{
	for (size_t i = 0; i < node->dependencies_count; i++)
		if (workflow_cvm_is(&spec->nodes[node->dependencies[i]]))
			return true;
	return false;
}
