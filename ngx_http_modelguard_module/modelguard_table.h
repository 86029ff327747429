
/*
 * Copyright (C) the modelguard authors
 *
 * Client records in one piece of memory that any number of processes map at
 * any address: no pointers, fixed-size records, 128-bit keyed ids, a lock and
 * a journal for each shard.
 *
 *     +--------+--------+--------+-- ... --+-------------------------------+
 *     | header | shard 0| shard 1|         | pages of shard 0 | of shard 1 |
 *     +--------+--------+--------+-- ... --+-------------------------------+
 *     page (4096 bytes): whole buckets, none over its end
 *     bucket: 8 ids (16 bytes each) | 8 bodies
 *     body: check, seen, banned, held, strikes, struck (4 bytes each)
 *           | table->cells cells (24 bytes each)
 *
 * Bytes per client: 64 with one cell, 102 with two, 170 with four, 256 with
 * eight.  The ids of a bucket lie side by side, so that a lookup compares
 * two cache lines.  Times in a body are seconds since 1970.
 *
 * An id belongs to one shard and may live in either of two buckets of it, so
 * a charge looks at 16 records at most, at any load.  A new id takes a free
 * slot; else that of the record that is idle (nothing spent, no ban) longest;
 * else that which has spent the smallest share of a limit.  A record that has
 * spent all of a limit, until that no longer holds, or that is banned, is
 * never evicted; if none may go the new client is EXHAUSTED.
 *
 * A change of a record is written to the shard's journal, then to the record,
 * then the journal is cleared: a process that is killed meanwhile leaves the
 * lock to the next one, which does the change again as a whole.  A record has
 * a checksum, which tells what a power failure has torn; such a record is
 * made one that has spent all: towards more spent, never less.
 *
 * A clock may step back, which counts as standing still until it is made up
 * for; what was spent more than a day ahead of it counts as spent now.
 *
 * The caller holds the lock of the id's shard around every call that takes
 * an id, by modelguard_table_lock().  Of several tables the locks are taken
 * in the order of (table->uid, shard), which is the same in all processes.
 */


#ifndef MODELGUARD_TABLE_H_INCLUDED
#define MODELGUARD_TABLE_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_hash.h"
#include "modelguard_budget.h"
#include "modelguard_lock.h"


#define MODELGUARD_TABLE_MAGIC    0x6472617567646f6dULL      /* "modguard" */
#define MODELGUARD_TABLE_LAYOUT   2
#define MODELGUARD_TABLE_BUDGETS  8          /* per table, at most */
#define MODELGUARD_TABLE_WAYS     8          /* records in a bucket */
#define MODELGUARD_TABLE_PAGE     4096
#define MODELGUARD_TABLE_SHARDS   64         /* at most; a power of two */
#define MODELGUARD_TABLE_SHARD_PAGES  16     /* at least, if more than one */

#define MODELGUARD_TABLE_BODY_MAX                                             \
    (24 + MODELGUARD_TABLE_BUDGETS * sizeof(modelguard_cell_t))

/* results, beside those of modelguard_base.h */

#define MODELGUARD_TABLE_MOVED    33         /* another table took over */
#define MODELGUARD_TABLE_FOREIGN  34         /* not a table at all */
#define MODELGUARD_TABLE_OTHER    35         /* of another layout version */
#define MODELGUARD_TABLE_TORN     36         /* cut, or its header damaged */


typedef struct {
    uint64_t             name;               /* of the budget, hashed; 0 free */
    uint64_t             peak;               /* the largest limit charged, to
                                                judge records for eviction */
    modelguard_budget_t  budget;             /* as last registered */
} modelguard_table_budget_t;


/* a registration at work: it is done again if its process dies */

typedef struct {
    uint64_t             name;
    uint64_t             check;              /* of the header afterwards */
    modelguard_budget_t  budget;
} modelguard_table_next_t;


/* monotonic but for "records"; kept by shard and summed up on demand */

typedef struct {
    uint64_t  records;                       /* in use */
    uint64_t  passed;
    uint64_t  limited;
    uint64_t  banned;                        /* refused for a ban */
    uint64_t  bans;                          /* begun */
    uint64_t  evicted;                       /* with something spent */
    uint64_t  expired;                       /* idle ones, by anybody */
    uint64_t  exhausted;
    uint64_t  skipped;                       /* charged without a key */
    uint64_t  recovered;                     /* locks of dead owners */
    uint64_t  repaired;                      /* records */
} modelguard_table_stat_t;


/*
 * The header: all but "moved" and "peak" is protected by "check", and changes
 * only under the locks of all shards.
 */

typedef struct {
    uint64_t                   magic;
    uint32_t                   layout;
    uint32_t                   cells;        /* per record: 1, 2, 4 or 8 */
    uint32_t                   shards;       /* a power of two */
    uint32_t                   pages;        /* of a shard */
    uint64_t                   size;         /* bytes of the whole table */
    uint64_t                   uid[2];       /* random, of this table */
    uint64_t                   secret;       /* the id of the caller's secret:
                                                not the secret */
    uint64_t                   check;
    uint64_t                   moved;        /* MODELGUARD_TABLE_MOVED or 0 */
    uint64_t                   pending;      /* 1 + the index of "next", or 0 */
    modelguard_table_next_t    next;
    modelguard_table_budget_t  budgets[MODELGUARD_TABLE_BUDGETS];
} modelguard_table_t;


/* one budget of one request */

typedef struct {
    uint64_t                    name;        /* as registered */
    const modelguard_budget_t  *budget;      /* as it is for this client */
    uint64_t                    cost;        /* units; 0 only looks */
    unsigned                    dry_run:1;   /* never refuses; what it would
                                                refuse is not charged to it */

    /* out */

    unsigned                    refused:1;   /* by this one (dry_run: too) */
    uint64_t                    remaining;   /* units, after the charge */
    uint64_t                    reset;       /* ms, modelguard_budget_reset */
    uint64_t                    wait;        /* ms, if refused; may be
                                                MODELGUARD_BUDGET_NEVER */
} modelguard_charge_t;


typedef enum {
    MODELGUARD_PASSED = 0,
    MODELGUARD_LIMITED,
    MODELGUARD_EXHAUSTED,                    /* no record may be evicted */
    MODELGUARD_BANNED
} modelguard_table_verdict_e;


typedef struct {
    modelguard_table_verdict_e  verdict;
    unsigned                    which;       /* index of the charge to speak
                                                of: the one with the longest
                                                wait when LIMITED, else that
                                                with the smallest share
                                                remaining */
    uint64_t                    wait;        /* ms, LIMITED or BANNED: then
                                                until the end of the ban, or
                                                later if a budget says so */
} modelguard_verdict_t;


/* one budget of one request that was charged before */

typedef struct {
    uint64_t                    name;
    const modelguard_budget_t  *budget;
    uint64_t                    reserved;    /* units, charged at "then" */
    uint64_t                    actual;
    uint64_t                    then;        /* ms */
    unsigned                    learn:1;     /* actual is an honest measure:
                                                let the mean know it */
    unsigned                    renew:1;     /* CONCURRENT: only dates anew */
} modelguard_settle_t;


/* modelguard_ban */

typedef struct {
    uint32_t  after;                         /* refusals, 1 .. 255 */
    uint32_t  in;                            /* s, 1 .. 86400 */
    uint32_t  time;                          /* s, 1 .. 31622400 */
} modelguard_ban_t;


/* what modelguard_table_open() and _copy() met */

typedef struct {
    uint64_t  records;                       /* good ones */
    uint64_t  repaired;                      /* open: torn, now spent */
    uint64_t  replayed;                      /* open: from journals */
    uint64_t  lost;                          /* copy: no room */
    uint64_t  budgets;                       /* copy: of "from", not in "to" */
} modelguard_table_report_t;


/* bytes of a client, padding included, for 1 .. 8 budgets; 0 for others */

size_t modelguard_table_bytes(unsigned budgets);

/* records that a table of that size holds for so many budgets; 0: none */

uint64_t modelguard_table_capacity(size_t size, unsigned budgets);

/*
 * Lays an empty table over "size" bytes at "mem" (64-byte aligned), cells for
 * "budgets" budgets (1 .. MODELGUARD_TABLE_BUDGETS; rounded up to 1, 2, 4, 8).
 * "uid" is random.  MODELGUARD_INVALID: bad "budgets" or alignment;
 * MODELGUARD_TOO_BIG: not even two buckets fit.
 */

int modelguard_table_init(void *mem, size_t size, unsigned budgets,
    const uint64_t uid[2], uint64_t secret);

/* the same in memory that is all zero: pages of clients are not touched */

int modelguard_table_lay(void *mem, size_t size, unsigned budgets,
    const uint64_t uid[2], uint64_t secret);

/*
 * Looks at the header only, of memory (or of a copy of its first bytes, "len"
 * of them, sizeof(modelguard_table_t) at least) that is said to hold "size"
 * bytes.  MODELGUARD_OK, _FOREIGN, _OTHER or _TORN (also when "size" is not
 * the table's).  Of a table at work it may see half a registration as _TORN.
 */

int modelguard_table_check(const void *mem, size_t len, uint64_t size);

/*
 * Makes a checked table ready when no process uses it: locks are made anew,
 * journals done, checksums compared, torn records made spent ones, "moved"
 * cleared, counts of records corrected.  "now" in ms.
 */

void modelguard_table_open(modelguard_table_t *table, uint64_t now,
    modelguard_table_report_t *report);

/*
 * Registers a budget under a name, or updates its parameters if the name is
 * known: its cells go on counting (one that changes between CONCURRENT, a
 * calendar, and the rest begins anew as it is rolled).  All locks are held.
 * MODELGUARD_TOO_BIG: all cells taken; MODELGUARD_INVALID: the name 0, or a
 * parameter out of range.
 */

int modelguard_table_register(modelguard_table_t *table, uint64_t name,
    const modelguard_budget_t *budget);

/* the same name's index, or table->cells if it is not registered */

unsigned modelguard_table_index(const modelguard_table_t *table,
    uint64_t name);

/* the shard of an id */

unsigned modelguard_table_shard(const modelguard_table_t *table,
    const modelguard_id_t *id);

/*
 * Takes a shard's lock; repairs the shard if the owner died.  MODELGUARD_OK,
 * or MODELGUARD_TABLE_MOVED: not held, look for the table that took over;
 * MODELGUARD_INVALID: not held, the lock is beyond repair.
 */

int modelguard_table_lock(modelguard_table_t *table, unsigned shard);
void modelguard_table_unlock(modelguard_table_t *table, unsigned shard);

/*
 * The same for all shards, in order.  Takes them also when the table has
 * moved: that is for the caller to look at.
 */

int modelguard_table_lock_all(modelguard_table_t *table);
void modelguard_table_unlock_all(modelguard_table_t *table);

/*
 * Charges every one of n (1 .. MODELGUARD_TABLE_BUDGETS) budgets, or none but
 * those that only dry-run would refuse.  A budget that is not registered
 * counts as a wait of MODELGUARD_BUDGET_NEVER: never a free pass.  No
 * allocation, O(1).  A budget that is named twice must have room for both
 * costs.  A request that is refused, or that costs nothing, leaves no record
 * of a client without one; when EXHAUSTED, the charges speak of a client
 * never seen.
 */

void modelguard_table_charge(modelguard_table_t *table,
    const modelguard_id_t *id, modelguard_charge_t *charges, unsigned n,
    uint64_t now, modelguard_verdict_t *verdict);

/*
 * The same with the lock taken before and given back after it, for a request
 * that is charged in one table only: the record comes from memory meanwhile.
 * Results as of modelguard_table_lock(); if it is not MODELGUARD_OK nothing
 * has been done.
 */

int modelguard_table_pay(modelguard_table_t *table,
    const modelguard_id_t *id, modelguard_charge_t *charges, unsigned n,
    uint64_t now, modelguard_verdict_t *verdict);

/*
 * The verdict that modelguard_table_charge() would come to, without a trace:
 * as long as the lock is held, charging then comes to the same.  For requests
 * that are charged in several tables, all or nothing.
 */

modelguard_table_verdict_e modelguard_table_would_pass(
    modelguard_table_t *table, const modelguard_id_t *id,
    modelguard_charge_t *charges, unsigned n, uint64_t now);

/*
 * The client's recent mean cost in a budget, see modelguard_budget_mean(); 0:
 * none
 */

uint64_t modelguard_table_mean(modelguard_table_t *table,
    const modelguard_id_t *id, uint64_t name);

/*
 * Settles what was charged.  A record that was evicted meanwhile is made
 * again for what is due, if there is room.  MODELGUARD_OK or MODELGUARD_NOMEM.
 */

int modelguard_table_settle(modelguard_table_t *table,
    const modelguard_id_t *id, const modelguard_settle_t *settles, unsigned n,
    uint64_t now);

/*
 * Counts a refusal; the ban->after-th within ban->in seconds (the two-bucket
 * estimate, in 8 bits) begins a ban of ban->time.  Returns 1 if it did.  A
 * client without a record gets one, if there is room.
 */

int modelguard_table_strike(modelguard_table_t *table,
    const modelguard_id_t *id, const modelguard_ban_t *ban, uint64_t now);

/* bans until now + time seconds; 0 lifts a ban.  MODELGUARD_OK or _NOMEM */

int modelguard_table_ban(modelguard_table_t *table, const modelguard_id_t *id,
    uint32_t time, uint64_t now);

/*
 * The id of the one record that all clients share for whom there is no room,
 * if the caller wants that; it is never evicted.
 */

void modelguard_table_overflow(modelguard_id_t *id);

/* counts one in the stat of the shard, the lock being held */

void modelguard_table_skipped(modelguard_table_t *table, unsigned shard);

/*
 * Looks at up to n buckets of a shard from *cursor on (0 at first, and again
 * after the last: returns 1 then, else 0), and frees the records that are
 * idle and were last seen more than "inactive" seconds ago.  A shard without
 * records has no buckets to look at.
 */

int modelguard_table_sweep(modelguard_table_t *table, unsigned shard,
    uint64_t *cursor, unsigned n, uint64_t inactive, uint64_t now);

/*
 * Copies all records of "from", whose locks are held, into "to", which nobody
 * else knows yet, with the cells of the budgets that "to" has registered by
 * the same name; those that may not be evicted first.  Of a client that "to"
 * has already, the cells of the other budgets stay, and the longer ban.
 */

void modelguard_table_copy(modelguard_table_t *to,
    const modelguard_table_t *from, uint64_t now,
    modelguard_table_report_t *report);

/*
 * Makes "table", whose locks are held, have what "from" has: records, budgets,
 * cells, counters and secret.  "from", known to nobody else, is of the same
 * size, or MODELGUARD_INVALID.  For memory that ends with its processes: one
 * that is killed meanwhile leaves what modelguard_table_check() refuses.
 */

int modelguard_table_adopt(modelguard_table_t *table,
    const modelguard_table_t *from);

/* sums up, without locks */

void modelguard_table_stat(const modelguard_table_t *table,
    modelguard_table_stat_t *stat);


#endif /* MODELGUARD_TABLE_H_INCLUDED */
