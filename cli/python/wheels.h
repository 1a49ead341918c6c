/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wheels.h — a requirements file made fit for an agent without a network: what its image lacks is
 * found, fetched by the owner's pip or taken from a folder, and travels in the requirements' place as
 * a bundle (docs/sandbox.md, 'Python').
 */
#pragma once

#include "cli/client/agent_client.h"
#include "cli/client/asset.h"

struct wheels_options {
	const char *requirements; /* the file */
	const char *runtime;      /* --python-runtime, or NULL */
	const char *folder;       /* --wheels, or NULL */
	const char *lock;         /* --lock, or NULL: read if it is there, else written */
	bool hashes;              /* a text with hashes for the index, instead of wheels */
};

/* Opens what is to be sent: the file as it is where nothing is missing, or the agent's index delivers
 * what is. Tells on standard error which wheels travel. */
int wheels_open(struct cli *cli, const Agent__StatusPython *python,
		const struct wheels_options *options, struct asset *asset,
		struct err *e) MUST_CHECK;

/* The digest of what wheels_open() makes of that file with that folder's wheels, whatever the image: nobody is asked
 * for its Python, which may refuse them. Tells on standard error which they are. */
int wheels_digest(struct cli *cli, const char *requirements, const char *folder,
		  uint8_t digest[SHA3_256_LEN], struct err *e) MUST_CHECK;
