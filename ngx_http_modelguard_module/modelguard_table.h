
/*
 * Copyright (C) the modelguard authors
 *
 * Client records in one piece of memory that any number of processes map at
 * any address: no pointers, fixed-size slots, 128-bit keyed ids.
 *
 *     +--------+-----------------------------------------------------+
 *     | header | bucket 0: 8 slots | bucket 1: 8 slots | ...           |
 *     +--------+-----------------------------------------------------+
 *     bucket: 8 ids (16 each) | 8 seen (8 each) | 8 x header.cells cells
 *
 * The slots of a bucket lie side by side, so that the ids that a lookup
 * compares are two cache lines.  "seen" is the time of the last charge.
 *
 * An id may live in either of two buckets, so a charge looks at 16 slots at
 * most, at any load.  A new id takes a free slot; else the slot whose record
 * is idle (nothing spent in any budget); else the one that has spent the
 * smallest share of its limit.  A record that has spent all of a limit (the
 * burst is beyond it) is never evicted; if no slot may go the new client is
 * refused as EXHAUSTED.
 *
 * An id is written last, so a process killed in the middle of an insert
 * leaves a slot that is free or whole.
 *
 * The caller holds the lock around every call that takes a table.
 */


#ifndef MODELGUARD_TABLE_H_INCLUDED
#define MODELGUARD_TABLE_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_hash.h"
#include "modelguard_budget.h"


#define MODELGUARD_TABLE_MAGIC    0x6472617567646d6fULL
#define MODELGUARD_TABLE_LAYOUT   1
#define MODELGUARD_TABLE_BUDGETS  8          /* per table, at most */
#define MODELGUARD_TABLE_WAYS     8          /* slots in a bucket */


typedef struct {
    uint64_t             name;               /* of the budget, hashed; 0 free */
    modelguard_budget_t  budget;             /* as last registered; used to
                                                judge records for eviction */
} modelguard_table_budget_t;


typedef struct {
    uint64_t                   magic;
    uint32_t                   layout;
    uint32_t                   cells;        /* per slot: 2, 4 or 8 */
    uint64_t                   buckets;      /* a power of two not required */
    uint64_t                   size;         /* bytes of the whole table */
    modelguard_table_budget_t  budgets[MODELGUARD_TABLE_BUDGETS];

    /* statistics, monotonic */

    uint64_t                   records;      /* slots in use, not monotonic */
    uint64_t                   passed;
    uint64_t                   limited;
    uint64_t                   evicted;      /* idle records not counted */
    uint64_t                   exhausted;
} modelguard_table_t;


/* one budget of one request */

typedef struct {
    uint64_t                    name;        /* as registered */
    const modelguard_budget_t  *budget;
    uint64_t                    cost;        /* units; 0 only looks */
} modelguard_charge_t;


typedef enum {
    MODELGUARD_PASSED = 0,
    MODELGUARD_LIMITED,
    MODELGUARD_EXHAUSTED                     /* no slot may be evicted */
} modelguard_table_verdict_e;


typedef struct {
    modelguard_table_verdict_e  verdict;
    unsigned                    which;       /* index of the charge that the
                                                next three speak of: that
                                                with the longest wait when
                                                LIMITED, else that with the
                                                smallest share remaining */
    uint64_t                    remaining;   /* units, after the charge */
    uint64_t                    reset;       /* ms, modelguard_budget_reset */
    uint64_t                    wait;        /* ms, if LIMITED; may be
                                                MODELGUARD_BUDGET_NEVER */
} modelguard_verdict_t;


/* bytes of a slot of a table with that many cells; 0 if not 2, 4 or 8 */

size_t modelguard_table_slot(unsigned cells);

/*
 * Lays an empty table over "size" bytes at "mem" (8-byte aligned), cells for
 * "budgets" budgets (1 .. MODELGUARD_TABLE_BUDGETS; rounded up to 2, 4, 8).
 * MODELGUARD_INVALID: bad "budgets" or alignment; MODELGUARD_TOO_BIG: not
 * even two buckets fit.
 */

int modelguard_table_init(void *mem, size_t size, unsigned budgets);

/*
 * MODELGUARD_OK if "mem" holds a table of this layout, of exactly that size
 * and with sane numbers; else MODELGUARD_INVALID.
 */

int modelguard_table_check(const void *mem, size_t size);

/*
 * Registers a budget under a name, or updates its parameters if the name is
 * known: its cells go on counting.  MODELGUARD_TOO_BIG: all cells taken;
 * MODELGUARD_INVALID: the name 0, or a parameter out of range.
 */

int modelguard_table_register(modelguard_table_t *table, uint64_t name,
    const modelguard_budget_t *budget);

/*
 * Charges every one of n (1 .. MODELGUARD_TABLE_BUDGETS) budgets, or none.
 * A budget that is not registered counts as a wait of
 * MODELGUARD_BUDGET_NEVER: never a free pass.  No allocation, O(1).
 * A budget that is named twice must have room for both costs.  A request
 * that is refused, or that costs nothing, leaves no record of a client
 * without one; when EXHAUSTED, the verdict speaks of a client never seen.
 */

void modelguard_table_charge(modelguard_table_t *table,
    const modelguard_id_t *id, const modelguard_charge_t *charges, unsigned n,
    uint64_t now, modelguard_verdict_t *verdict);

/*
 * The verdict that modelguard_table_charge() would come to, without a trace:
 * as long as the lock is held, charging then comes to the same.  For requests
 * that are charged in several tables, all or nothing.
 */

modelguard_table_verdict_e modelguard_table_would_pass(
    modelguard_table_t *table, const modelguard_id_t *id,
    const modelguard_charge_t *charges, unsigned n, uint64_t now);


#endif /* MODELGUARD_TABLE_H_INCLUDED */
