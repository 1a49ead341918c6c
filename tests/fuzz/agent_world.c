/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/agent_world.h"

#include "agent/core/agent_listener.h"
#include "agent/core/agent_manifest.h"
#include "agent/core/agent_receipt.h"
#include "agent/core/agent_stop.h"
#include "agent/core/service.h"
#include "agent/evidence/evidence.h"
#include "agent/jail/runner.h"
#include "agent/journal/journal.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/bundle/bundle.h"
#include "common/manifest/manifest_extension.h"
#include "tests/fuzz/agent_played.h"
#include "tests/fuzz/grpc_peer.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char world_requirements[] = "x==1\n";
uv_loop_t world_loop;
struct world_asset world_assets[WORLD_ASSETS];
EVP_PKEY *world_keys[WORLD_KEYS];

static char folder[] = "/tmp/cocos-fuzz-agent-XXXXXX"; /* work/, results/ */
static struct config config;
static struct identity identity;
static uint8_t *spki[WORLD_KEYS];
static size_t spki_len[WORLD_KEYS];

/* ---- what there is once ---- */

static void leave_folder(void)
{
	struct err e;

	(void)!dir_remove(folder, &e);
}

static char *inside(const char *name)
{
	char *path = NULL;
	struct err e;

	assert(text_format(&path, &e, "%s/%s", folder, name) == 0);
	return path;
}

/* A zip of results/, which holds one file. */
static void make_zip(struct world_asset *a)
{
	CLEANUP(free) char *results = inside("results"), *zip = inside("zip"), *one = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	CLEANUP(close) int dir = -1, fd = -1;
	struct err e;

	assert(text_format(&one, &e, "%s/one", results) == 0);
	assert(dir_make(results, 0700, &e) == 0 && file_write(one, "a result", 8, 0600, &e) == 0);
	dir = open(results, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open(zip, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert(bundle_make(dir, fd, NULL, NULL, NULL, &e) == 0);
	assert(file_read(zip, sizeof(a->content), &bytes, &a->len, &e) == 0);
	memcpy(a->content, bytes, a->len);
	assert(unlink(zip) == 0);
}

static int open_results(void)
{
	CLEANUP(free) char *path = inside("results");

	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void make_assets(void)
{
	static const char *const names[WORLD_ASSETS] = { NULL, "a.csv", "second", "zip" };
	struct err e;

	for (size_t i = 0; i < WORLD_ASSETS; i++) {
		struct world_asset *a = &world_assets[i];

		a->name = names[i];
		a->is_nameless = i == 2;
		a->decompress = i == 3;
		a->owner = i == 2;
		a->len = i == 1 ? 5000 : 40 + i;
		memset(a->content, (int)('a' + i), a->len);
		if (i == 0) /* what does not begin as a program does is refused */
			memcpy(a->content, "#!/bin/sh\n", 10);
		if (a->decompress)
			make_zip(a);
		assert(digest(DIGEST_SHA3_256, a->content, a->len, a->digest, &e) == 0);
	}
}

void world_prepare(void)
{
	static const char environment[] = "AGENT_CVM_GRPC_URL=localhost:7001\n"
					  "AWS_SECRET_ACCESS_KEY=secret\n"
					  "AWS_ACCESS_KEY_ID=\n";
	struct err e;

	log_set(LOG_LEVEL_ERROR);
	setenv("UV_THREADPOOL_SIZE", "1", 1);
	assert(uv_loop_init(&world_loop) == 0 && mkdtemp(folder));
	atexit(leave_folder);
	for (uint8_t i = 0; i < WORLD_KEYS; i++) {
		const uint8_t secret[32] = { i };

		world_keys[i] = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
		assert(world_keys[i] &&
		       key_to_spki(world_keys[i], &spki[i], &spki_len[i], &e) == 0);
	}
	make_assets();
	played_results = open_results;
	assert(identity_make(&identity, &e) == 0);
	config.options = (struct config_options){ .development = true, .work_dir = inside("work") };
	config.asset_max = 6000;
	config.boot.files[BOOTCONFIG_ENVIRONMENT].bytes = (uint8_t *)(uintptr_t)environment;
	config.boot.files[BOOTCONFIG_ENVIRONMENT].len = sizeof(environment) - 1;
	assert(dir_make(config.options.work_dir, 0711, &e) == 0);
}

/* ---- its life ---- */

void world_settle(void)
{
	do
		grpc_peer_settle(&world_loop);
	while (played_keeper_serve());
	grpc_peer_settle(&world_loop);
}

/* Nobody is there to send it to: it gathers. */
static void on_journal_ready(void *data)
{
	assert(journal_next(((struct agent *)data)->journal));
}

static void on_checked(void *data, bool measured, const struct err *e)
{
	assert(!e);
}

void world_enter(struct agent *agent, bool measured)
{
	static struct python_package package[] = { { .name = "numpy", .version = "1.24" } };
	const struct keeper_options options = { .development = true };
	struct err e;

	played_keeper_begin(measured);
	*agent = (struct agent){ .loop = &world_loop, .config = &config, .lock = -1 };
	uploads_init(&agent->uploads, &(struct uploads_config){
					      .loop = &world_loop,
					      .asset_max = config.asset_max,
					      .challenges = &agent->challenges,
					      .callbacks = &service_upload_callbacks,
					      .data = agent,
				      });
	assert(text_format(&agent->dir, &e, "%s/computation", config.options.work_dir) == 0);
	assert(retained_init(&agent->uploads.retained, config.options.work_dir, &e) == 0);
	agent->own = identity;
	agent->python.target = (struct python_target){ 11, 36, "x86_64" };
	agent->packages = (struct python_packages){ package, 1 };
	assert(keeper_start(&world_loop, &options, &agent->keeper, &e) == 0);
	assert(journal_new(&world_loop, agent->keeper, on_journal_ready, agent, &agent->journal,
			   &e) == 0);
	assert(evidence_new(&world_loop, agent->keeper, identity.key, &agent->evidence, &e) == 0);
	assert(keeper_check(agent->keeper, on_checked, NULL, &e) == 0);
	world_settle();
	assert(state_step(&agent->state, EVENT_BOOTED, &e) == 0);
}

static void shut_down(struct agent *agent)
{
	agent->shutting_down = true;
	if (agent->runner)
		runner_free(TAKE_PTR(agent->runner));
	uploads_close(&agent->uploads, "the agent is shutting down");
	agent_listener_close(TAKE_PTR(agent->listener), "the agent is shutting down");
	evidence_free(TAKE_PTR(agent->evidence));
	keeper_free(TAKE_PTR(agent->keeper));
	journal_free(TAKE_PTR(agent->journal));
	if (agent->computation) {
		computation_end(agent->computation);
		uploads_drop_kept(agent->computation);
	}
	if (agent->incoming)
		computation_end(agent->incoming);
}

void world_leave(struct agent *agent)
{
	struct err e;

	shut_down(agent);
	played_keeper_end();
	while (uv_run(&world_loop, UV_RUN_DEFAULT))
		continue;
	assert(LIST_EMPTY(&agent->uploads.calls) && agent->uploads.count == 0);
	agent_receipt_abandon(agent);
	agent_proof_done(&agent->proof);
	challenges_end(&agent->challenges);
	computation_unref(TAKE_PTR(agent->computation));
	computation_unref(TAKE_PTR(agent->incoming));
	postbox_done(&agent->postbox);
	free(agent->statement);
	identity_done(&agent->external);
	assert(dir_remove(agent->dir, &e) == 0);
	retained_done(&agent->uploads.retained);
	free(agent->dir);
	world_check_files(NULL);
}

/* ---- the manifest ---- */

static ProtobufCBinaryData bytes_of(const uint8_t *bytes, size_t len)
{
	return (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)bytes, .len = len };
}

void world_manifest(struct agent *agent, unsigned bits)
{
	Cvms__ComputationRunReq m = CVMS__COMPUTATION_RUN_REQ__INIT;
	Cvms__Algorithm algorithm = CVMS__ALGORITHM__INIT;
	Cvms__AgentConfig listener = CVMS__AGENT_CONFIG__INIT;
	Cvms__Dataset datasets[WORLD_ASSETS], *dataset_rows[WORLD_ASSETS];
	Cvms__ResultConsumer consumers[2], *consumer_rows[2];
	Cvms__Extension extension = CVMS__EXTENSION__INIT;
	uint8_t required[SHA3_256_LEN];
	char *args[] = { (char *)(uintptr_t)"--fast" };
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	m.id = (char *)(uintptr_t)(bits & WORLD_OTHER_ID ? "other" : "one");
	m.name = m.id;
	m.n_datasets = bits & WORLD_DATASETS;
	m.datasets = dataset_rows;
	for (size_t i = 0; i < m.n_datasets; i++) {
		const struct world_asset *a = &world_assets[i + 1];

		cvms__dataset__init(&datasets[i]);
		datasets[i].hash = bytes_of(a->digest, SHA3_256_LEN);
		datasets[i].userkey = bytes_of(spki[a->owner], spki_len[a->owner]);
		if (!a->is_nameless && (bits & WORLD_MORE) != WORLD_NAMELESS)
			datasets[i].filename = (char *)(uintptr_t)a->name;
		datasets[i].decompress = a->decompress;
		dataset_rows[i] = &datasets[i];
	}
	algorithm.hash = bytes_of(world_assets[0].digest, SHA3_256_LEN);
	algorithm.userkey = bytes_of(spki[0], spki_len[0]);
	if (bits & WORLD_TYPED) {
		algorithm.algo_type = (char *)(uintptr_t)"bin";
		algorithm.algo_args = args;
		algorithm.n_algo_args = 1;
	}
	m.algorithm = &algorithm;
	m.n_result_consumers = bits & WORLD_TWO_CONSUMERS ? 2 : 1;
	m.result_consumers = consumer_rows;
	for (size_t i = 0; i < m.n_result_consumers; i++) {
		cvms__result_consumer__init(&consumers[i]);
		consumers[i].userkey = bytes_of(spki[i], spki_len[i]);
		consumer_rows[i] = &consumers[i];
	}
	if (bits & WORLD_QUIET)
		listener.log_level = (char *)(uintptr_t)"error";
	listener.attested_tls = bits & WORLD_ATTESTED;
	m.agent_config = &listener;
	if (bits & (WORLD_CLOSED | WORLD_MORE))
		m.cocos = &extension;
	if (bits & WORLD_CLOSED)
		extension.logs = (char *)(uintptr_t)"consumers";
	if ((bits & WORLD_MORE) == WORLD_FOLDERS)
		extension.layout = (char *)(uintptr_t)"folders";
	if ((bits & WORLD_MORE) == WORLD_REQUIREMENTS) {
		assert(digest(DIGEST_SHA3_256, world_requirements, strlen(world_requirements),
			      required, &e) == 0);
		extension.requirements_hash = bytes_of(required, sizeof(required));
	}
	assert(manifest_encode(&m, &bytes, &len, &e) == 0);
	(void)agent_manifest_take(agent, (struct postbox_subject){ m.id, 1 }, bytes, len);
}

/* ---- what is on disk ---- */

static void check_only(const char *dir, const char *const *names)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	assert(d);
	while ((entry = readdir(d))) {
		bool known = entry->d_name[0] == '.' &&
			     (!entry->d_name[1] || strcmp(entry->d_name, "..") == 0);

		for (size_t i = 0; names[i]; i++)
			known |= strcmp(names[i], entry->d_name) == 0;
		assert(known);
	}
	closedir(d);
}

static void check_content(const char *path, const struct asset *a)
{
	uint8_t found[SHA3_256_LEN];
	struct err e;

	assert(digest_file(DIGEST_SHA3_256, path, found, &e) == 0);
	assert(memcmp(found, a->hash->data, sizeof(found)) == 0);
}

static void check_assets(const struct agent *agent)
{
	static const char *const names[] = { "a.csv", "second", "one", "zip", NULL };
	const struct computation *c = agent->computation;
	const char *unpacked =
		manifest_layout(c->manifest) == MANIFEST_LAYOUT_FOLDERS ? "zip" : "one";
	CLEANUP(free) char *datasets = NULL, *algorithm = NULL;
	struct err e;

	assert(text_format(&datasets, &e, "%s/datasets", agent->dir) == 0);
	assert(text_format(&algorithm, &e, "%s/algorithm", agent->dir) == 0);
	check_only(datasets, names);
	if (c->algorithm.received)
		check_content(algorithm, &c->algorithm);
	for (size_t i = 0; i < c->dataset_count; i++) {
		const struct world_asset *a = &world_assets[i + 1];
		CLEANUP(free) char *path = NULL;

		assert(text_format(&path, &e, "%s/%s", datasets,
				   a->decompress ? unpacked : a->name) == 0);
		if (!c->datasets[i].received)
			assert(c->datasets[i].placing || access(path, F_OK) < 0);
		else if (a->decompress)
			assert(access(path, F_OK) == 0);
		else
			check_content(path, &c->datasets[i]);
	}
}

void world_check_files(const struct agent *agent)
{
	static const char *const top[] = { "work", "results", NULL };
	static const char *const work[] = { "computation", NULL }, *const none[] = { NULL };

	check_only(folder, top);
	check_only(config.options.work_dir, agent ? work : none);
	if (agent && agent->computation && !agent->wiping && !agent->stop_wanted &&
	    (agent->state == STATE_RECEIVING_ALGORITHM || agent->state == STATE_RECEIVING_DATA ||
	     (agent->state == STATE_RUNNING && world_has_run())))
		check_assets(agent);
}
