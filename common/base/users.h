/* SPDX-License-Identifier: Apache-2.0 */
/*
 * users.h — who runs what in the guest image: user and group numbers that no other program has.
 *
 * Plain numbers, so that they can stand in options of mounts. Nobody is looked up: the image has no
 * table of users.
 */
#pragma once

#define USERS_ALGORITHM 1900000000 /* the nobody of a jail, as seen from outside */
#define USERS_AGENT     1900000001 /* faces the network */
#define USERS_KEEPER    1900000002 /* has the TEE's device and the TPM */

/* The control group of the keeper's processes: root's, beside the one that the agent may change. */
#define USERS_KEEPER_GROUP "/sys/fs/cgroup/cocos-keeper"

#define USERS_TEXT_(number) #number
#define USERS_TEXT(number)  USERS_TEXT_(number) /* "1900000001" */
