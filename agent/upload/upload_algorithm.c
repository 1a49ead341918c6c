/* SPDX-License-Identifier: Apache-2.0 */
/* Algo: the algorithm, with its type, runtime, arguments and requirements. What the manifest says of
 * these was measured; a call may repeat it, or say what the manifest leaves open. */
#include "agent.pb-c.h"
#include "agent/computation/refusal.h"
#include "agent/python/python_env.h"
#include "agent/upload/upload_call.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"

#include <stdlib.h>
#include <string.h>

static const Agent__AlgoResponse response = AGENT__ALGO_RESPONSE__INIT;

/* ---- what the call says ---- */

static int check_args(const struct upload_call *u, struct err *e)
{
	const struct rpc_metadata *m = rpc_call_metadata(u->call);
	const Cvms__Algorithm *a = u->computation->manifest->algorithm;
	size_t count = rpc_metadata_count(m, "algo_args"), bytes = 0;

	if (count > RUNNER_ARGS_MAX)
		return err_set(e, ERR_INVALID, "Algo: %zu arguments, the limit is %d", count,
			       RUNNER_ARGS_MAX);
	for (size_t i = 0; i < count; i++)
		bytes += strlen(rpc_metadata_text(m, "algo_args", i)) + 1;
	if (bytes > RUNNER_ARGS_BYTES_MAX)
		return err_set(e, ERR_INVALID, "Algo: %zu bytes of arguments, the limit is %d",
			       bytes, RUNNER_ARGS_BYTES_MAX);
	if (count == 0 || a->n_algo_args == 0)
		return 0;
	if (count != a->n_algo_args)
		return err_set(e, ERR_INVALID, "Algo: %zu arguments, the manifest says %zu", count,
			       a->n_algo_args);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rpc_metadata_text(m, "algo_args", i), a->algo_args[i]) != 0)
			return err_set(e, ERR_INVALID, "Algo: argument %zu is not the manifest's",
				       i);
	}
	return 0;
}

static int read_metadata(struct upload_call *u, struct err *e)
{
	const Cvms__Algorithm *a = u->computation->manifest->algorithm;
	const char *type = NULL;
	int failed = upload_call_metadata(u, "algo_type", &type, e);

	if (!failed)
		failed = upload_call_metadata(u, "python_runtime", &u->runtime, e);
	if (failed)
		return failed;
	if (type && a->algo_type[0] && strcmp(type, a->algo_type) != 0)
		return err_set(e, ERR_INVALID, "Algo: algo_type is %s, the manifest says %s",
			       log_quote(type).text, log_quote(a->algo_type).text);
	u->algo_type = type && type[0] ? type : "bin";
	if (runner_spec_kind(type ? type : a->algo_type, &u->runner, e) < 0)
		return err_wrap(e, "Algo");
	if (u->runtime && u->runtime[0] && u->runner == RUNNER_PYTHON &&
	    python_runtime_check(u->runtime, e) < 0)
		return err_wrap(e, "Algo: python_runtime");
	return check_args(u, e);
}

static int take_requirements(struct upload_call *u, struct span text, bool with_asset,
			     struct err *e)
{
	if (text.len == 0)
		return 0;
	if (with_asset || u->stage != UPLOAD_BEGUN)
		return err_set(e, ERR_INVALID,
			       "Algo: requirements come before the algorithm, in "
			       "messages of their own");
	writer_bytes(&u->requirements, text.bytes, text.len);
	if (u->requirements.bad)
		return err_set(e, ERR_EXHAUSTED, "Algo: requirements over %d bytes",
			       REQUIREMENTS_BYTES_MAX);
	return 0;
}

/* ---- whose it is ---- */

static int write_parameters(const struct upload_call *u, struct writer *w, struct err *e)
{
	const struct rpc_metadata *m = rpc_call_metadata(u->call);
	uint8_t d[SHA3_256_LEN];

	proof_parameter_text(w, "algo_type", u->algo_type);
	if (u->runtime && u->runtime[0])
		proof_parameter_text(w, "python_runtime", u->runtime);
	for (size_t i = 0; i < rpc_metadata_count(m, "algo_args"); i++)
		proof_parameter_text(w, "algo_args", rpc_metadata_text(m, "algo_args", i));
	if (u->requirements.len > 0) {
		int failed =
			digest(DIGEST_SHA3_256, u->requirements.bytes, u->requirements.len, d, e);

		if (failed)
			return failed;
		proof_parameter(w, "requirements", d, sizeof(d));
	}
	return 0;
}

static int check_owner(struct upload_call *u, struct err *e)
{
	CLEANUP_WRITER struct writer parameters = writer_up_to(PROOF_PARAMETERS_MAX);
	struct computation *c = u->computation;
	int failed;

	if (u->requirements.len > 0 && u->runner != RUNNER_PYTHON)
		return err_set(e, ERR_INVALID, "Algo: requirements are for python algorithms");
	if (!upload_call_is_hinted(u, &c->algorithm))
		return err_set(e, ERR_INVALID,
			       "Algo: %s is not the digest that the manifest has "
			       "for the algorithm",
			       PROOF_DIGEST_KEY);
	failed = write_parameters(u, &parameters, e);
	if (failed)
		return failed;
	if (access_verify(&u->access, c->algorithm.key, c->digests.sha3_256,
			  c->algorithm.hash->data, &parameters, e) < 0) {
		refusal_not_signed(&u->access, c, "the algorithm's provider",
				   c->algorithm.hash->data, &parameters, e);
		return err_wrap(e, "Algo");
	}
	u->asset = &c->algorithm;
	return 0;
}

static int settle(struct upload_call *u, const uint8_t digest[SHA3_256_LEN], struct err *e)
{
	char hex[2 * SHA3_256_LEN + 1];

	if (memcmp(u->asset->hash->data, digest, SHA3_256_LEN) == 0)
		return 0;
	hex_encode(digest, SHA3_256_LEN, hex);
	return err_set(e, ERR_INVALID, "Algo: the manifest knows no algorithm with SHA3-256 %s",
		       hex);
}

/* ---- its place ---- */

static int copy_args(struct upload_call *u, struct err *e)
{
	struct computation *c = u->computation;
	const struct rpc_metadata *m = rpc_call_metadata(u->call);
	const Cvms__Algorithm *a = c->manifest->algorithm;
	size_t said = rpc_metadata_count(m, "algo_args"), count = said ? said : a->n_algo_args;

	c->args = calloc(count + 1, sizeof(*c->args));
	if (!c->args)
		return err_nomem(e);
	for (size_t i = 0; i < count; i++) {
		c->args[i] = strdup(said ? rpc_metadata_text(m, "algo_args", i) : a->algo_args[i]);
		if (!c->args[i])
			return err_nomem(e);
	}
	return 0;
}

static int place(struct upload_call *u, struct err *e)
{
	struct computation *c = u->computation;
	CLEANUP(free) char *path = NULL;
	int failed = copy_args(u, e);

	if (!failed && u->runtime && !(c->runtime = strdup(u->runtime)))
		failed = err_nomem(e);
	if (!failed && u->requirements.len > 0) {
		failed = computation_path(c, "requirements.txt", &path, e);
		if (!failed)
			failed = file_write(path, u->requirements.bytes, u->requirements.len, 0644,
					    e);
		c->requirements = !failed;
	}
	c->kind = u->runner;
	if (!failed)
		failed = upload_call_move(u, "algorithm", 0755, e);
	/* It may be sent again, and with less than it came with this time. */
	if (failed) {
		if (path)
			unlink(path);
		computation_drop_algorithm(c);
	}
	return failed;
}

const struct upload_kind upload_algorithm = {
	.method = "Algo",
	.role = PROOF_ROLE_ALGORITHM,
	.response = &response.base,
	.asset = UPLOAD_ALGORITHM,
	.first_message_tells = false, /* requirements may come in several, and are signed too */
	.read_metadata = read_metadata,
	.take_field = take_requirements,
	.check_owner = check_owner,
	.settle = settle,
	.place = place,
};
