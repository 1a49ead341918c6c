/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device_room.h — the places of command lines that wait (device.h), which strangers take and share. For device.c alone.
 */
#pragma once

#include "common/db/db.h"

/* What `refused` in a row of `devices` is; from DEVICE_SEEN on somebody has looked at it: the user of that number more. */
enum { DEVICE_ASKED = 0, DEVICE_REFUSED = 1, DEVICE_SEEN = 2 };

/* A place for one more of that peer. Where all are taken one gives way, of those that nobody has looked at or let in, and of
 * those that a user did so to the ones behind his newest DEVICES_PER_USER: of the network that has most, and in it of the
 * narrower one that has most, the oldest. ERR_EXHAUSTED: that address has its share already, or users have looked at all of
 * them. */
int device_room_make(struct db *db, const char *peer, struct err *e) MUST_CHECK;
