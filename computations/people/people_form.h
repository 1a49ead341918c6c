/* SPDX-License-Identifier: Apache-2.0 */
/*
 * people_form.h — the tables of this room, for the form of the service's database (common/db/db_form.h).
 *
 * A computation is named by its id: its own table is another room's, which calls role_forget() and workspace_forget().
 */
#pragma once

#define PEOPLE_FORM                                                                         \
	"CREATE TABLE users ("                                                              \
	" number {counted},"                                                                \
	" name TEXT NOT NULL UNIQUE,"                                                       \
	" administrator {integer} NOT NULL," /* of the service */                           \
	" suspended {integer} NOT NULL DEFAULT 0,"                                          \
	" created {integer} NOT NULL);"                                                     \
	"CREATE TABLE tokens ("                                                             \
	" number {counted},"                                                                \
	" person {integer} NOT NULL REFERENCES users (number) ON DELETE CASCADE,"           \
	" name TEXT NOT NULL,"                                                              \
	" hash {bytes} NOT NULL UNIQUE,"                                                    \
	" scope {integer} NOT NULL," /* actions */                                          \
	" created {integer} NOT NULL,"                                                      \
	" expires {integer} NOT NULL,"                                                      \
	" used {integer} NOT NULL DEFAULT 0,"                                               \
	" UNIQUE (person, name));"                                                          \
	"CREATE TABLE own_roles (" /* those that a computation has beside action_roles[] */ \
	" computation TEXT NOT NULL,"                                                       \
	" name TEXT NOT NULL,"                                                              \
	" actions {integer} NOT NULL,"                                                      \
	" PRIMARY KEY (computation, name)) {by key};"                                       \
	"CREATE TABLE role_members ("                                                       \
	" computation TEXT NOT NULL,"                                                       \
	" role TEXT NOT NULL,"                                                              \
	" person {integer} NOT NULL REFERENCES users (number) ON DELETE CASCADE,"           \
	" PRIMARY KEY (computation, role, person)) {by key};"                               \
	"CREATE INDEX role_members_person ON role_members (person, computation);"

/* How users sign in: passwords (password.h), sessions of browsers (login.h), links that work once (entry.h). */
#define ACCOUNTS_FORM                                                                          \
	"CREATE TABLE passwords ("                                                             \
	" person {integer} NOT NULL PRIMARY KEY REFERENCES users (number) ON DELETE CASCADE,"  \
	" salt {bytes} NOT NULL,"                                                              \
	" hash {bytes} NOT NULL,"                                                              \
	" memory {integer} NOT NULL,"                                                          \
	" passes {integer} NOT NULL,"                                                          \
	" changed {integer} NOT NULL);"                                                        \
	"CREATE TABLE logins ("                                                                \
	" number {counted},"                                                                   \
	" person {integer} NOT NULL REFERENCES users (number) ON DELETE CASCADE,"              \
	" hash {bytes} NOT NULL UNIQUE,"                                                       \
	" host TEXT NOT NULL,"                                                                 \
	" peer TEXT NOT NULL,"                                                                 \
	" about TEXT NOT NULL,"                                                                \
	" created {integer} NOT NULL,"                                                         \
	" seen {integer} NOT NULL,"                                                            \
	" ends {integer} NOT NULL);"                                                           \
	"CREATE INDEX logins_person ON logins (person, seen);"                                 \
	"CREATE TABLE entry_links ("                                                           \
	" number {counted},"                                                                   \
	" person {integer} REFERENCES users (number) ON DELETE CASCADE," /* NULL: the first */ \
	" hash {bytes} NOT NULL UNIQUE,"                                                       \
	" ends {integer} NOT NULL);"

/* Keys of users (user_key.h), and what is given out to show that one has them. */
#define USER_KEYS_FORM                                                            \
	"CREATE TABLE user_keys ("                                                \
	" number {counted},"                                                      \
	" person {integer} NOT NULL REFERENCES users (number) ON DELETE CASCADE," \
	" computation TEXT NOT NULL," /* '': all */                               \
	" fingerprint {bytes} NOT NULL,"                                          \
	" spki {bytes} NOT NULL,"                                                 \
	" created {integer} NOT NULL,"                                            \
	" retired {integer} NOT NULL DEFAULT 0,"                                  \
	" UNIQUE (person, computation, fingerprint));"                            \
	"CREATE INDEX user_keys_fingerprint ON user_keys (fingerprint);"          \
	"CREATE TABLE key_challenges ("                                           \
	" number {counted},"                                                      \
	" person {integer} NOT NULL REFERENCES users (number) ON DELETE CASCADE," \
	" computation TEXT NOT NULL,"                                             \
	" fingerprint {bytes} NOT NULL,"                                          \
	" challenge {bytes} NOT NULL UNIQUE,"                                     \
	" ends {integer} NOT NULL);"                                              \
	"CREATE INDEX key_challenges_person ON key_challenges (person, number);"

/* Who has compared which manifest (store_confirm.h), and how often each has changed. */
#define CONFIRMATIONS_FORM                                                                    \
	"ALTER TABLE computations ADD COLUMN manifest_revision {integer} NOT NULL DEFAULT 1;" \
	"CREATE TABLE confirmations ("                                                        \
	" computation TEXT NOT NULL,"                                                         \
	" person {integer} NOT NULL REFERENCES users (number) ON DELETE CASCADE,"             \
	" fingerprint {bytes} NOT NULL,"                                                      \
	" digest {bytes} NOT NULL,"                                                           \
	" revision {integer} NOT NULL,"                                                       \
	" signature {bytes} NOT NULL,"                                                        \
	" made {integer} NOT NULL,"                                                           \
	" PRIMARY KEY (computation, person)) {by key};"                                       \
	"CREATE INDEX confirmations_person ON confirmations (person);"

/* Algorithms and datasets by name (asset.h), and the computations whose manifests name them. */
#define ASSETS_FORM                                                                         \
	"CREATE TABLE assets ("                                                             \
	" number {counted},"                                                                \
	" workspace {integer} NOT NULL REFERENCES workspaces (number) ON DELETE CASCADE,"   \
	" person {integer} REFERENCES users (number) ON DELETE SET NULL," /* whose it is */ \
	" name TEXT NOT NULL,"                                                              \
	" type {integer} NOT NULL,"                                                         \
	" mime TEXT NOT NULL,"                                                              \
	" description TEXT NOT NULL,"                                                       \
	" digest {bytes} NOT NULL,"                                                         \
	" created {integer} NOT NULL,"                                                      \
	" UNIQUE (workspace, name));"                                                       \
	"CREATE INDEX assets_digest ON assets (workspace, digest);"                         \
	"CREATE INDEX assets_person ON assets (person);"                                    \
	"CREATE TABLE asset_links ("                                                        \
	" asset {integer} NOT NULL REFERENCES assets (number) ON DELETE CASCADE,"           \
	" computation TEXT NOT NULL,"                                                       \
	" PRIMARY KEY (asset, computation)) {by key};"                                      \
	"CREATE INDEX asset_links_computation ON asset_links (computation);"

/* Command lines that ask to be let in (device.h). */
#define DEVICES_FORM                                                                                  \
	"CREATE TABLE devices ("                                                                      \
	" number {counted},"                                                                          \
	" hash {bytes} NOT NULL UNIQUE,"                                                              \
	" code TEXT NOT NULL UNIQUE,"                                                                 \
	" about TEXT NOT NULL,"                                                                       \
	" peer TEXT NOT NULL,"                                                                        \
	" scope {integer} NOT NULL,"                                                                  \
	" days {integer} NOT NULL,"                                                                   \
	" ends {integer} NOT NULL,"                                                                   \
	" person {integer} REFERENCES users (number) ON DELETE CASCADE," /* who let it in; or NULL */ \
	" refused {integer} NOT NULL DEFAULT 0);"

/* Where computations are, and who may be there with them. */
#define WORKSPACES_FORM                                                                        \
	"CREATE TABLE workspaces ("                                                            \
	" number {counted},"                                                                   \
	" name TEXT NOT NULL UNIQUE,"                                                          \
	" created {integer} NOT NULL);"                                                        \
	"CREATE TABLE workspace_members ("                                                     \
	" workspace {integer} NOT NULL REFERENCES workspaces (number) ON DELETE CASCADE,"      \
	" person {integer} NOT NULL REFERENCES users (number) ON DELETE CASCADE,"              \
	" role TEXT NOT NULL," /* membership_rules[] */                                        \
	" suspended {integer} NOT NULL DEFAULT 0,"                                             \
	" joined {integer} NOT NULL,"                                                          \
	" PRIMARY KEY (workspace, person)) {by key};"                                          \
	"CREATE INDEX workspace_members_person ON workspace_members (person, workspace);"      \
	"CREATE TABLE workspace_computations ("                                                \
	" computation TEXT NOT NULL PRIMARY KEY,"                                              \
	" workspace {integer} NOT NULL REFERENCES workspaces (number)) {by key};"              \
	"CREATE INDEX workspace_computations_workspace ON workspace_computations (workspace);" \
	"INSERT INTO workspaces (name, created) VALUES ('default', 0);"

/* Who created each computation (creator.h); 0: whoever administers the service. Of older rows it is an owner. */
#define CREATORS_FORM                                                                         \
	"ALTER TABLE workspace_computations ADD COLUMN creator {integer} NOT NULL DEFAULT 0;" \
	"UPDATE workspace_computations SET creator = coalesce((SELECT min(m.person)"          \
	" FROM role_members m WHERE m.computation = workspace_computations.computation"       \
	" AND m.role = 'owner'), 0);"                                                         \
	"CREATE INDEX workspace_computations_creator ON workspace_computations (creator);"

/* Second factors (factor.h), and those who owe a code of theirs (half.h). */
#define FACTORS_FORM                                                                          \
	"CREATE TABLE factors ("                                                              \
	" person {integer} NOT NULL PRIMARY KEY REFERENCES users (number) ON DELETE CASCADE," \
	" secret {bytes} NOT NULL,"                                                           \
	" confirmed {integer} NOT NULL DEFAULT 0,"                                            \
	" created {integer} NOT NULL,"                                                        \
	" last {integer} NOT NULL DEFAULT 0," /* step of the last code */                     \
	" failed {integer} NOT NULL DEFAULT 0,"                                               \
	" failed_at {integer} NOT NULL DEFAULT 0);"                                           \
	"CREATE TABLE recovery_codes ("                                                       \
	" person {integer} NOT NULL REFERENCES users (number) ON DELETE CASCADE,"             \
	" hash {bytes} NOT NULL,"                                                             \
	" PRIMARY KEY (person, hash)) {by key};"                                              \
	"CREATE TABLE halves ("                                                               \
	" number {counted},"                                                                  \
	" person {integer} NOT NULL REFERENCES users (number) ON DELETE CASCADE,"             \
	" hash {bytes} NOT NULL UNIQUE,"                                                      \
	" ends {integer} NOT NULL);"                                                          \
	"CREATE INDEX halves_person ON halves (person, number);"

/* Accounts elsewhere that sign users in (identity.h), and browsers on their way there and back (trip.h). */
#define IDENTITIES_FORM                                                           \
	"CREATE TABLE identities ("                                               \
	" number {counted},"                                                      \
	" person {integer} NOT NULL REFERENCES users (number) ON DELETE CASCADE," \
	" provider TEXT NOT NULL,"                                                \
	" issuer TEXT NOT NULL,"                                                  \
	" subject TEXT NOT NULL,"                                                 \
	" created {integer} NOT NULL,"                                            \
	" used {integer} NOT NULL DEFAULT 0,"                                     \
	" UNIQUE (issuer, subject));"                                             \
	"CREATE INDEX identities_person ON identities (person, number);"

/* Browsers on their way to one and back (trip.h). They last minutes: those of older forms, whose networks nobody kept, end. */
#define TRIPS_FORM                                                     \
	"DROP TABLE IF EXISTS trips;"                                  \
	"CREATE TABLE trips ("                                         \
	" number {counted},"                                           \
	" hash {bytes} NOT NULL UNIQUE,"                               \
	" browser {bytes} NOT NULL,"                                   \
	" wide {bytes} NOT NULL," /* the networks that it came from */ \
	" narrow {bytes} NOT NULL,"                                    \
	" provider TEXT NOT NULL,"                                     \
	" issuer TEXT NOT NULL,"                                       \
	" subject TEXT NOT NULL," /* '': not back yet */               \
	" ends {integer} NOT NULL);"                                   \
	"CREATE INDEX trips_browser ON trips (browser);"               \
	"CREATE INDEX trips_networks ON trips (wide, narrow, number);"

/* Links by which somebody becomes a member of one (invitation.h). */
#define INVITATIONS_FORM                                                                                \
	"CREATE TABLE invitations ("                                                                    \
	" number {counted},"                                                                            \
	" workspace {integer} NOT NULL REFERENCES workspaces (number) ON DELETE CASCADE,"               \
	" inviter {integer} REFERENCES users (number) ON DELETE CASCADE," /* NULL: the socket's user */ \
	" hash {bytes} NOT NULL UNIQUE,"                                                                \
	" role TEXT NOT NULL,"                                                                          \
	" note TEXT NOT NULL,"                                                                          \
	" created {integer} NOT NULL,"                                                                  \
	" ends {integer} NOT NULL,"                                                                     \
	" tries {integer} NOT NULL DEFAULT 0," /* names of others */                                    \
	" taken {integer} NOT NULL DEFAULT 0," /* when; 0: it is open */                                \
	" taker {integer} REFERENCES users (number) ON DELETE SET NULL);"                               \
	"CREATE INDEX invitations_workspace ON invitations (workspace, number);"

/* Passkeys (passkey.h), what they are about to be added or asked for, and challenges that were answered. */
#define PASSKEYS_FORM                                                                         \
	"CREATE TABLE passkey_handles ("                                                      \
	" person {integer} NOT NULL PRIMARY KEY REFERENCES users (number) ON DELETE CASCADE," \
	" handle {bytes} NOT NULL UNIQUE);"                                                   \
	"CREATE TABLE passkeys ("                                                             \
	" number {counted},"                                                                  \
	" person {integer} NOT NULL REFERENCES users (number) ON DELETE CASCADE,"             \
	" name TEXT NOT NULL,"                                                                \
	" credential {bytes} NOT NULL UNIQUE,"                                                \
	" spki {bytes} NOT NULL,"                                                             \
	" count {integer} NOT NULL,"                                                          \
	" eligible {integer} NOT NULL,"                                                       \
	" backed_up {integer} NOT NULL,"                                                      \
	" created {integer} NOT NULL,"                                                        \
	" used {integer} NOT NULL DEFAULT 0,"                                                 \
	" went_back {integer} NOT NULL DEFAULT 0,"                                            \
	" UNIQUE (person, name));"                                                            \
	"CREATE TABLE passkeys_begun ("                                                       \
	" number {counted},"                                                                  \
	" person {integer} NOT NULL REFERENCES users (number) ON DELETE CASCADE,"             \
	" login {integer} NOT NULL,"                                                          \
	" hash {bytes} NOT NULL UNIQUE,"                                                      \
	" name TEXT NOT NULL,"                                                                \
	" device TEXT NOT NULL,"                                                              \
	" ends {integer} NOT NULL);"                                                          \
	"CREATE INDEX passkeys_begun_person ON passkeys_begun (person, number);"              \
	"CREATE TABLE passkey_answers ("                                                      \
	" challenge {bytes} NOT NULL PRIMARY KEY,"                                            \
	" ends {integer} NOT NULL) {by key};"                                                 \
	"CREATE INDEX passkey_answers_ends ON passkey_answers (ends);"
