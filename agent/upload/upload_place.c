/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/stop.h"
#include "agent/upload/upload_call.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/bundle/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct unpacking {
	struct upload_call *call;
	char *zip;
	int dir;
	int failed;
	struct err e;
};

static int wrong_digest(const struct upload_call *u, const uint8_t *digest, struct err *e)
{
	char hex[2 * SHA3_256_LEN + 1];

	hex_encode(digest, SHA3_256_LEN, hex);
	return err_set(e, ERR_INVALID, "%s: the manifest knows no %s with SHA3-256 %s%s",
		       u->is_algo ? "Algo" : "Data", u->is_algo ? "algorithm" : "dataset", hex,
		       u->is_algo ? "" : " under this name");
}

/* Is it a dataset, and none of those who signed? */
static bool is_anothers(const struct upload_call *u, const uint8_t *digest)
{
	const struct computation *c = u->computation;
	bool known = false;

	for (size_t i = 0; i < c->dataset_count; i++) {
		const ProtobufCBinaryData *key = c->datasets[i].key;

		if (memcmp(c->datasets[i].hash->data, digest, SHA3_256_LEN) != 0)
			continue;
		known = true;
		for (size_t j = 0; j < c->dataset_count; j++) {
			const ProtobufCBinaryData *signer = c->datasets[j].key;

			if (u->may_be[j] && signer->len == key->len &&
			    memcmp(signer->data, key->data, key->len) == 0)
				return false;
		}
	}
	return known;
}

/* A call that several datasets could have been is now one of them. */
static int settle(struct upload_call *u, const uint8_t *digest, struct err *e)
{
	struct computation *c = u->computation;
	struct asset *settled = NULL;

	for (size_t i = 0; i < c->dataset_count && !u->asset; i++) {
		struct asset *a = &c->datasets[i];

		if (!u->may_be[i] || memcmp(a->hash->data, digest, SHA3_256_LEN) != 0)
			continue;
		/* A named and a nameless one of the same content: whichever is missing. */
		if (!settled || settled->received || settled->placing)
			settled = a;
	}
	if (!u->asset)
		u->asset = settled;
	if (u->asset && memcmp(u->asset->hash->data, digest, SHA3_256_LEN) == 0)
		return 0;
	if (!u->is_algo && is_anothers(u, digest))
		return err_set(e, ERR_DENIED, "Data: this content is another owner's dataset");
	return wrong_digest(u, digest, e);
}

static int judge(struct upload_call *u, struct err *e)
{
	uint8_t digest[SHA3_256_LEN];
	int failed = upload_digest(u->upload, digest, e);

	if (!failed)
		failed = settle(u, digest, e);
	if (failed)
		return failed;
	if (u->asset->received || u->asset->placing)
		return err_set(e, ERR_EXISTS, "%s: it is here already",
			       u->is_algo ? "Algo" : "Data");
	if (!state_takes(u->agent->state, u->is_algo ? EVENT_ALGORITHM : EVENT_DATASET))
		return err_set(e, ERR_PRECONDITION, "%s: not expected in state %s",
			       u->is_algo ? "Algo" : "Data", state_name(u->agent->state));
	return 0;
}

static int move(const struct upload_call *u, const char *name, mode_t mode, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	const char *from = upload_path(u->upload);
	int failed = computation_path(u->computation, name, &path, e);

	if (failed)
		return failed;
	if (chmod(from, mode) < 0)
		return err_errno(e, "chmod '%s'", from);
	if (renameat2(AT_FDCWD, from, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST)
		return err_set(e, ERR_INVALID, "%s is the name of something that is here already",
			       log_quote(name).text);
	return err_errno(e, "put '%s' in its place", name);
}

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

static int place_algo(struct upload_call *u, struct err *e)
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
	c->kind = u->kind;
	if (!failed)
		failed = move(u, "algorithm", 0755, e);
	/* It may be sent again, and with less than it came with this time. */
	if (failed) {
		if (path)
			unlink(path);
		computation_drop_algorithm(c);
	}
	return failed;
}

static void placed(struct upload_call *u)
{
	struct agent *agent = u->agent;
	bool is_algo = u->is_algo;

	u->asset->received = true;
	if (u->asset->kept)
		upload_free(TAKE_PTR(u->asset->kept));
	agent_say(agent, "INFO", "%s%s is in, %llu bytes", is_algo ? "algorithm" : "dataset ",
		  is_algo ? "" : log_quote(u->filename).text,
		  (unsigned long long)upload_size(u->upload));
	upload_call_finish(u, NULL);
	if (is_algo)
		agent_algorithm_in(agent);
	else
		agent_dataset_in(agent);
}

static void unpack(void *data)
{
	struct unpacking *p = data;

	p->failed = bundle_extract(p->zip, p->dir, NULL, &p->e);
}

static void unpacking_free(struct unpacking *p)
{
	if (p->dir >= 0)
		close(p->dir);
	free(p->zip);
	free(p);
}

static void unpacked(struct rpc_call *call, void *data)
{
	struct unpacking *p = data;
	struct upload_call *u = p->call;
	struct agent *agent = u->agent;
	struct err e = p->e;
	int failed = p->failed;

	unpacking_free(p);
	u->placing = false;
	u->asset->placing = false;
	u->computation->placing--;
	if (u->computation->over || agent->state != STATE_RECEIVING_DATA)
		failed = err_set(&e, ERR_ABORTED, "Data: the computation has ended");
	if (failed) {
		err_wrap(&e, "Data: decompress");
		upload_call_finish(u, &e);
	} else {
		placed(u);
	}
	stop_go_on(agent);
}

static int start_unpacking(struct upload_call *u, struct err *e)
{
	struct unpacking *p = calloc(1, sizeof(*p));
	CLEANUP(free) char *path = NULL;
	int failed;

	if (!p)
		return err_nomem(e);
	*p = (struct unpacking){ .call = u, .zip = strdup(upload_path(u->upload)), .dir = -1 };
	failed = p->zip ? computation_path(u->computation, "datasets", &path, e) : err_nomem(e);
	if (!failed) {
		p->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (p->dir < 0)
			failed = err_errno(e, "open '%s'", path);
	}
	u->placing = u->asset->placing = true;
	u->computation->placing++;
	if (!failed)
		failed = rpc_call_job(u->call, unpack, unpacked, p, e);
	if (failed) {
		u->placing = u->asset->placing = false;
		u->computation->placing--;
		unpacking_free(p);
	}
	return failed;
}

static int place_data(struct upload_call *u, struct err *e)
{
	CLEANUP(free) char *name = NULL;
	int failed;

	if (u->decompress || u->asset->decompress)
		return start_unpacking(u, e);
	failed = text_format(&name, e, "datasets/%s", u->filename);
	return failed ? failed : move(u, name, 0644, e);
}

void upload_place(struct upload_call *u)
{
	struct err e;
	int failed = judge(u, &e);

	if (!failed)
		failed = u->is_algo ? place_algo(u, &e) : place_data(u, &e);
	if (failed)
		upload_call_finish(u, &e);
	else if (!u->placing)
		placed(u);
}
