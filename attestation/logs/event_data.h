/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_data.h — is an event's digest that of its data? Of some types it has to be; of the others
 * the data are hints that decide nothing (TCG PC Client Platform Firmware Profile, 10.4.1).
 */
#pragma once

#include "attestation/logs/event.h"
#include "common/base/err.h"

/* ERR_DENIED if the type asks for it and the digest of some known bank is not of the data. */
int event_data_check(const struct event_log *log, const struct event *event,
		     struct err *e) MUST_CHECK;
