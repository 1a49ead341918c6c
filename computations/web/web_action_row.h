/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_action_row.h — rows of the tables of actions and of their inputs. For the files that have such tables alone.
 */
#pragma once

#include "computations/people/user.h"
#include "computations/web/web_action.h"

#define PATH(name_, message, member, meaning_) \
	{ .name = name_,                       \
	  .place = INPUT_PATH,                 \
	  .is_needed = true,                   \
	  .at = offsetof(message, member),     \
	  .meaning = (meaning_) }
/* What is made under that name. */
#define PATH_WORD(name_, message, member, pattern_, meaning_) \
	{ .name = name_,                                      \
	  .place = INPUT_PATH,                                \
	  .is_needed = true,                                  \
	  .at = offsetof(message, member),                    \
	  .meaning = (meaning_),                              \
	  .pattern = (pattern_) }
#define BODY(name_, kind_, message, member, meaning_) \
	{ .name = name_, .kind = kind_, .at = offsetof(message, member), .meaning = (meaning_) }
#define NEEDED(name_, message, member, meaning_) \
	{ .name = name_, .is_needed = true, .at = offsetof(message, member), .meaning = (meaning_) }
/* Of INPUT_DIGEST. */
#define WEB_DIGEST_PATTERN "^[0-9a-f]{64}$"
/* people_name_check() */
#define WEB_NAME_PATTERN "^[a-z0-9][a-z0-9._@+-]{0,62}$"
_Static_assert(PEOPLE_NAME_MAX == 63, "as the pattern has it");
/* A text of so many bytes. */
#define LINE(name_, is_needed_, message, member, most_, meaning_) \
	{ .name = name_,                                          \
	  .is_needed = is_needed_,                                \
	  .most = (most_),                                        \
	  .at = offsetof(message, member),                        \
	  .meaning = (meaning_) }
/* Of the form that the pattern has, such as a word of a few. */
#define WORD(name_, is_needed_, message, member, pattern_, meaning_) \
	{ .name = name_,                                             \
	  .is_needed = is_needed_,                                   \
	  .at = offsetof(message, member),                           \
	  .meaning = (meaning_),                                     \
	  .pattern = (pattern_) }
#define SET(name_, message, member, meaning_)     \
	{ .name = name_,                          \
	  .kind = INPUT_ACTIONS,                  \
	  .at = offsetof(message, member),        \
	  .count = offsetof(message, n_##member), \
	  .meaning = (meaning_) }
#define COUNT(name_, kind_, message, member, most_, times_, meaning_) \
	{ .name = name_,                                              \
	  .kind = kind_,                                              \
	  .at = offsetof(message, member),                            \
	  .most = (most_),                                            \
	  .times = (times_),                                          \
	  .meaning = (meaning_) }
#define END { .name = NULL }

#define OF_COMPUTATIONS(path, message) \
	.method = PROTO_COMPUTATIONS_##path, .request = &computations__##message##__descriptor
#define OF_PEOPLE(path, message) \
	.method = PROTO_PEOPLE_##path, .request = &people__##message##__descriptor
#define ACTION(name) const struct web_action name
