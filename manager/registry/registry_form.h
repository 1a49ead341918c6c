/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_form.h — the registry's tables, and how each older form of them becomes this one.
 */
#pragma once

#include "common/db/db_form.h"

/* Where PostgreSQL has them. */
#define REGISTRY_SCHEMA "cocos_manager"

extern const struct db_forms registry_forms; /* up to REGISTRY_VERSION */
