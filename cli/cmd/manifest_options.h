/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest_options.h — options that make a manifest: the same JSON that a person would write.
 */
#pragma once

#include "cli/base/command.h"

#include <stddef.h>
#include <stdint.h>

/* The words that a manifest knows, for completion and for refusals by option. */
extern const char *const manifest_type_words[], *const manifest_layout_words[],
							*const manifest_logs_words[];

/* clang-format off */
#define MANIFEST_OPTIONS \
	{ .name = "id", .value = "ID", .help = "instead of a new one" }, \
	{ .name = "name", .value = "TEXT", .help = "what people call it" }, \
	{ .name = "description", .value = "TEXT", .help = "what it is for" }, \
	{ .name = "algorithm", .value = "FILE|HEX", .help = "or its SHA3-256; asset:NAME, here and below: a registered one's" }, \
	{ .name = "algorithm-key", .value = "PEM", \
	  .help = "its owner's public key; user:NAME, here and below: the one that user registered" }, \
	{ .name = "algorithm-type", .value = "TYPE", .words = manifest_type_words, \
	  .help = "bin (the default), python, wasm or docker" }, \
	{ .name = "args", .value = "ARG", .times = CLI_MANY, \
	  .help = "an argument for the algorithm; repeat for more" }, \
	{ .name = "dataset", .value = "PATH|HEX", .times = CLI_MANY, \
	  .help = "or its SHA3-256; repeat for more" }, \
	{ .name = "dataset-key", .value = "PEM", .times = CLI_MANY, \
	  .help = "the n-th for the n-th dataset; a single one for all" }, \
	{ .name = "dataset-name", .value = "NAME", .times = CLI_MANY, \
	  .help = "file name for the algorithm (a file's own)" }, \
	{ .name = "decompress", .help = "all datasets are zips to be unpacked" }, \
	{ .name = "unpack", .value = "NAME", .times = CLI_MANY, \
	  .help = "the dataset of this name is a zip to be unpacked" }, \
	{ .name = "consumer-key", .value = "PEM", .times = CLI_MANY, \
	  .help = "public key of one who may fetch the results" }, \
	{ .name = "agent-port", .value = "PORT", .help = "of the agent (7002)" }, \
	{ .name = "agent-cert", .value = "PEM", \
	  .help = "the agent's certificate: with it the agent speaks TLS" }, \
	{ .name = "agent-key", .value = "PEM", .help = "its private key" }, \
	{ .name = "agent-client-ca", .value = "PEM", \
	  .help = "authorities of its clients' certificates (mTLS)" }, \
	{ .name = "agent-server-ca", .value = "PEM", \
	  .help = "the authorities between its certificate and the root, in order" }, \
	{ .name = "agent-host", .value = "HOST", \
	  .help = "where clients will connect: the agent's certificate has to be for it" }, \
	{ .name = "agent-log-level", .value = "LEVEL", \
	  .help = "lines that the agent tells the service: debug, info (the default), warn or error" }, \
	{ .name = "agent-attested-tls", \
	  .help = "the agent sends evidence on each connection, before anything else" }, \
	{ .name = "layout", .value = "WORD", .words = manifest_layout_words, \
	  .help = "of unpacked datasets: folders (the default: one for each) or stock" }, \
	{ .name = "logs", .value = "WORD", .words = manifest_logs_words, \
	  .help = "who sees what the algorithm says: consumers (the default), provider or all" }, \
	{ .name = "cache", .value = "NAME", .times = CLI_MANY, \
	  .help = "the dataset of this name lies where libraries look for downloads" }, \
	{ .name = "requirements-hash", .value = "FILE|HEX", \
	  .help = "the requirements must be these" }, \
	{ .name = "replace", .help = "the algorithm may be replaced if it fails (not offered: a retry does that)" }, \
	{ .name = "stock-manifest", \
	  .help = "say nothing that other backends do not know" }
/* clang-format on */

/* ERR_INVALID, by name, if one of them is given: a manifest's file says it all. */
int manifest_options_refuse(struct cli *cli, struct err *e) MUST_CHECK;

/* What they say, as JSON; malloc'ed. It may hold the agent's private key: wipe it. */
int manifest_options_build(struct cli *cli, uint8_t **text, size_t *len, struct err *e) MUST_CHECK;
