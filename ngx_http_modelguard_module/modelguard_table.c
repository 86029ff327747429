
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_table.h"


/* buckets are whole 64-byte cache lines, so they begin at one */

#define MODELGUARD_TABLE_HEADER                                               \
    ((sizeof(modelguard_table_t) + 63) & ~(size_t) 63)

#define MODELGUARD_TABLE_CHOICES      2

#define MODELGUARD_TABLE_IDLE         0
#define MODELGUARD_TABLE_WHOLE        ((uint64_t) 1 << 20)
#define MODELGUARD_TABLE_UNEVICTABLE  UINT64_MAX


/*
 * A process may be killed at any store.  The stores before a barrier have
 * been made whenever one after it has: only the compiler could mix them up.
 */

#ifdef __GNUC__

#define modelguard_table_barrier()       __asm__ __volatile__("" ::: "memory")
#define modelguard_table_prefetch(addr)  __builtin_prefetch(addr)

#else

#define modelguard_table_barrier()
#define modelguard_table_prefetch(addr)

#endif


typedef struct {
    modelguard_id_t    id[MODELGUARD_TABLE_WAYS];
    uint64_t           seen[MODELGUARD_TABLE_WAYS];
    modelguard_cell_t  cells[];      /* table->cells for every way */
} modelguard_table_bucket_t;


typedef struct {
    modelguard_id_t    *id;          /* NULL: there is none */
    uint64_t           *seen;
    modelguard_cell_t  *cells;
} modelguard_table_record_t;


/*
 * A request at work: nothing is written to the table before it passes.  The
 * arrays are by cell, but "index" is by charge.
 */

typedef struct {
    const modelguard_charge_t  *charges;
    unsigned                    n;
    unsigned                    spends;      /* some cost is not 0 */
    uint64_t                    now;
    modelguard_table_bucket_t  *bucket[MODELGUARD_TABLE_CHOICES];
    modelguard_table_record_t   record;
    unsigned                    index[MODELGUARD_TABLE_BUDGETS];
    uint64_t                    left[MODELGUARD_TABLE_BUDGETS];
    modelguard_cell_t           cells[MODELGUARD_TABLE_BUDGETS];
} modelguard_table_work_t;


static uint64_t modelguard_table_buckets(size_t size, unsigned cells);
static unsigned modelguard_table_index(const modelguard_table_t *table,
    uint64_t name);
static void modelguard_table_find(modelguard_table_t *table,
    const modelguard_id_t *id, modelguard_table_work_t *work);
static void modelguard_table_record(const modelguard_table_t *table,
    modelguard_table_bucket_t *bucket, unsigned way,
    modelguard_table_record_t *record);
static uint64_t modelguard_table_weigh(const modelguard_table_t *table,
    modelguard_table_work_t *work, unsigned *which);
static int modelguard_table_place(const modelguard_table_t *table,
    modelguard_table_work_t *work);
static int modelguard_table_candidate(const modelguard_table_t *table,
    modelguard_table_work_t *work);
static uint64_t modelguard_table_share(const modelguard_table_t *table,
    const modelguard_cell_t *cells, uint64_t now);
static void modelguard_table_vacate(modelguard_table_t *table,
    const modelguard_table_work_t *work);
static void modelguard_table_commit(modelguard_table_work_t *work);
static void modelguard_table_report(const modelguard_table_t *table,
    const modelguard_table_work_t *work, modelguard_verdict_t *verdict);


size_t
modelguard_table_slot(unsigned cells)
{
    if (cells != 2 && cells != 4 && cells != 8) {
        return 0;
    }

    return sizeof(modelguard_id_t) + sizeof(uint64_t)
           + cells * sizeof(modelguard_cell_t);
}


int
modelguard_table_init(void *mem, size_t size, unsigned budgets)
{
    unsigned             cells;
    uint64_t             buckets;
    modelguard_table_t  *table;

    if (budgets == 0 || budgets > MODELGUARD_TABLE_BUDGETS
        || ((uintptr_t) mem & 7))
    {
        return MODELGUARD_INVALID;
    }

    cells = (budgets <= 2) ? 2 : (budgets <= 4) ? 4 : 8;
    buckets = modelguard_table_buckets(size, cells);

    if (buckets < MODELGUARD_TABLE_CHOICES) {
        return MODELGUARD_TOO_BIG;
    }

    memset(mem, 0, size);

    table = mem;

    table->layout = MODELGUARD_TABLE_LAYOUT;
    table->cells = cells;
    table->buckets = buckets;
    table->size = size;

    modelguard_table_barrier();

    table->magic = MODELGUARD_TABLE_MAGIC;

    return MODELGUARD_OK;
}


int
modelguard_table_check(const void *mem, size_t size)
{
    unsigned                          i, j;
    const modelguard_table_t         *table;
    const modelguard_table_budget_t  *entry;

    if (((uintptr_t) mem & 7) || size < sizeof(modelguard_table_t)) {
        return MODELGUARD_INVALID;
    }

    table = mem;

    if (table->magic != MODELGUARD_TABLE_MAGIC
        || table->layout != MODELGUARD_TABLE_LAYOUT
        || table->size != size
        || modelguard_table_slot(table->cells) == 0
        || table->buckets < MODELGUARD_TABLE_CHOICES
        || table->buckets != modelguard_table_buckets(size, table->cells)
        || table->records > table->buckets * MODELGUARD_TABLE_WAYS)
    {
        return MODELGUARD_INVALID;
    }

    for (i = 0; i < MODELGUARD_TABLE_BUDGETS; i++) {
        entry = &table->budgets[i];

        if (entry->name == 0) {
            continue;
        }

        if (i >= table->cells
            || !modelguard_budget_valid(&entry->budget))
        {
            return MODELGUARD_INVALID;
        }

        for (j = 0; j < i; j++) {
            if (table->budgets[j].name == entry->name) {
                return MODELGUARD_INVALID;
            }
        }
    }

    return MODELGUARD_OK;
}


int
modelguard_table_register(modelguard_table_t *table, uint64_t name,
    const modelguard_budget_t *budget)
{
    unsigned  i;

    if (name == 0 || !modelguard_budget_valid(budget)) {
        return MODELGUARD_INVALID;
    }

    i = modelguard_table_index(table, name);

    if (i == table->cells) {

        for (i = 0; table->budgets[i].name; i++) {
            if (i == table->cells - 1) {
                return MODELGUARD_TOO_BIG;
            }
        }
    }

    table->budgets[i].budget = *budget;

    modelguard_table_barrier();

    table->budgets[i].name = name;

    return MODELGUARD_OK;
}


void
modelguard_table_charge(modelguard_table_t *table, const modelguard_id_t *id,
    const modelguard_charge_t *charges, unsigned n, uint64_t now,
    modelguard_verdict_t *verdict)
{
    unsigned                 fresh;
    modelguard_table_work_t  work;

    memset(verdict, 0, sizeof(modelguard_verdict_t));

    work.charges = charges;
    work.n = n;
    work.now = now;

    modelguard_table_find(table, id, &work);

    verdict->wait = modelguard_table_weigh(table, &work, &verdict->which);

    if (verdict->wait) {
        verdict->verdict = MODELGUARD_LIMITED;
        table->limited++;
        modelguard_table_report(table, &work, verdict);
        return;
    }

    if (work.spends) {
        fresh = (work.record.id == NULL);

        if (fresh && modelguard_table_place(table, &work) != MODELGUARD_OK) {
            verdict->verdict = MODELGUARD_EXHAUSTED;
            verdict->remaining = charges->budget->limit
                                 + charges->budget->burst;
            table->exhausted++;
            return;
        }

        if (fresh) {
            modelguard_table_vacate(table, &work);
        }

        modelguard_table_commit(&work);

        if (fresh) {
            modelguard_table_barrier();
            *work.record.id = *id;
            modelguard_table_barrier();
            table->records++;
        }
    }

    table->passed++;
    modelguard_table_report(table, &work, verdict);
}


modelguard_table_verdict_e
modelguard_table_would_pass(modelguard_table_t *table,
    const modelguard_id_t *id, const modelguard_charge_t *charges, unsigned n,
    uint64_t now)
{
    unsigned                 which;
    modelguard_table_work_t  work;

    work.charges = charges;
    work.n = n;
    work.now = now;

    modelguard_table_find(table, id, &work);

    if (modelguard_table_weigh(table, &work, &which)) {
        return MODELGUARD_LIMITED;
    }

    if (work.spends && work.record.id == NULL
        && modelguard_table_place(table, &work) != MODELGUARD_OK)
    {
        return MODELGUARD_EXHAUSTED;
    }

    return MODELGUARD_PASSED;
}


/* as many buckets as fit, and can be told apart by 32 bits of an id */

static uint64_t
modelguard_table_buckets(size_t size, unsigned cells)
{
    uint64_t  buckets;

    if (size < MODELGUARD_TABLE_HEADER) {
        return 0;
    }

    buckets = (size - MODELGUARD_TABLE_HEADER)
              / (MODELGUARD_TABLE_WAYS * modelguard_table_slot(cells));

    return (buckets < UINT32_MAX) ? buckets : UINT32_MAX;
}


/* a budget's index is that of its cell in every slot; "cells" is none */

static unsigned
modelguard_table_index(const modelguard_table_t *table, uint64_t name)
{
    unsigned  i;

    if (name == 0) {
        return table->cells;
    }

    for (i = 0; i < table->cells; i++) {
        if (table->budgets[i].name == name) {
            break;
        }
    }

    return i;
}


/* finds the two buckets of an id, and its record if there is one */

static void
modelguard_table_find(modelguard_table_t *table, const modelguard_id_t *id,
    modelguard_table_work_t *work)
{
    uint8_t                *first;
    unsigned                i, way;
    uint64_t                a, b, size;
    const modelguard_id_t  *stored;

    /* the number of buckets is below 2^32, see modelguard_table_buckets() */

    a = (id->low >> 32) * table->buckets >> 32;
    b = (id->high >> 32) * table->buckets >> 32;

    if (a == b) {
        b = (b + 1 < table->buckets) ? b + 1 : 0;
    }

    size = sizeof(modelguard_table_bucket_t)
           + MODELGUARD_TABLE_WAYS * table->cells * sizeof(modelguard_cell_t);
    first = (uint8_t *) table + MODELGUARD_TABLE_HEADER;

    work->bucket[0] = (void *) (first + a * size);
    work->bucket[1] = (void *) (first + b * size);

    modelguard_table_prefetch(work->bucket[1]);
    modelguard_table_prefetch(&work->bucket[1]->id[MODELGUARD_TABLE_WAYS / 2]);

    for (i = 0; i < MODELGUARD_TABLE_CHOICES; i++) {
        stored = work->bucket[i]->id;

        for (way = 0; way < MODELGUARD_TABLE_WAYS; way++) {

            if (stored[way].low == id->low && stored[way].high == id->high) {
                modelguard_table_record(table, work->bucket[i], way,
                                        &work->record);
                return;
            }
        }
    }

    work->record.id = NULL;
}


static void
modelguard_table_record(const modelguard_table_t *table,
    modelguard_table_bucket_t *bucket, unsigned way,
    modelguard_table_record_t *record)
{
    record->id = &bucket->id[way];
    record->seen = &bucket->seen[way];
    record->cells = &bucket->cells[way * table->cells];
}


/*
 * Brings copies of the cells up to date, and returns the longest wait.  What
 * is left of a budget is what will be after the request if it passes.
 */

static uint64_t
modelguard_table_weigh(const modelguard_table_t *table,
    modelguard_table_work_t *work, unsigned *which)
{
    unsigned                    i, j, n;
    uint64_t                    cost, due, left, wait, longest;
    modelguard_cell_t          *cell;
    const modelguard_charge_t  *charge;

    if (work->n == 0 || work->n > MODELGUARD_TABLE_BUDGETS) {
        work->index[0] = table->cells;
        return MODELGUARD_BUDGET_NEVER;
    }

    longest = 0;
    work->spends = 0;

    for (i = 0; i < work->n; i++) {
        charge = &work->charges[i];

        n = modelguard_table_index(table, charge->name);
        work->index[i] = n;

        if (n == table->cells) {
            wait = MODELGUARD_BUDGET_NEVER;

        } else {
            cell = &work->cells[n];

            if (work->record.id) {
                *cell = work->record.cells[n];

            } else {
                memset(cell, 0, sizeof(modelguard_cell_t));
            }

            modelguard_budget_roll(charge->budget, cell, work->now);

            /* a budget that is charged twice must have room for both costs */

            due = charge->cost;

            for (j = 0; j < i; j++) {
                if (work->index[j] == n) {
                    cost = work->charges[j].cost;
                    due = (due > UINT64_MAX - cost) ? UINT64_MAX : due + cost;
                }
            }

            left = modelguard_budget_remaining(charge->budget, cell,
                                               work->now);
            wait = 0;

            /* not even a cost of 0 passes when a limit has been lowered */

            if (left <= due) {
                wait = modelguard_budget_wait(charge->budget, cell, due,
                                              work->now);
            }

            work->left[n] = wait ? left : left - due;
            work->spends |= (charge->cost != 0);
        }

        if (wait > longest) {
            longest = wait;
            *which = i;
        }
    }

    return longest;
}


/*
 * Chooses a slot for a new id and changes nothing.  Free slots of the emptier
 * bucket come first, for that fills a table best.
 */

static int
modelguard_table_place(const modelguard_table_t *table,
    modelguard_table_work_t *work)
{
    unsigned                i, way, vacant, most;
    const modelguard_id_t  *stored;

    most = 0;

    for (i = 0; i < MODELGUARD_TABLE_CHOICES; i++) {
        stored = work->bucket[i]->id;
        vacant = 0;

        for (way = 0; way < MODELGUARD_TABLE_WAYS; way++) {

            if (stored[way].low || stored[way].high) {
                continue;
            }

            vacant++;

            if (vacant > most) {
                most = vacant;
                modelguard_table_record(table, work->bucket[i], way,
                                        &work->record);
            }
        }
    }

    return most ? MODELGUARD_OK : modelguard_table_candidate(table, work);
}


/*
 * The slot with the least share spent, of equal ones that which was charged
 * longest ago.
 */

static int
modelguard_table_candidate(const modelguard_table_t *table,
    modelguard_table_work_t *work)
{
    unsigned                   i, way;
    uint64_t                   share, least;
    modelguard_table_record_t  candidate;

    least = MODELGUARD_TABLE_UNEVICTABLE;

    for (i = 0; i < MODELGUARD_TABLE_CHOICES; i++) {
        for (way = 0; way < MODELGUARD_TABLE_WAYS; way++) {

            modelguard_table_record(table, work->bucket[i], way, &candidate);
            share = modelguard_table_share(table, candidate.cells, work->now);

            if (share < least
                || (share == least && work->record.id
                    && *candidate.seen < *work->record.seen))
            {
                least = share;
                work->record = candidate;
            }
        }
    }

    return work->record.id ? MODELGUARD_OK : MODELGUARD_NOMEM;
}


/* the largest share of a limit that a record has spent */

static uint64_t
modelguard_table_share(const modelguard_table_t *table,
    const modelguard_cell_t *cells, uint64_t now)
{
    unsigned                    i;
    uint64_t                    spent, share, largest;
    modelguard_cell_t           cell;
    const modelguard_budget_t  *budget;

    largest = MODELGUARD_TABLE_IDLE;

    for (i = 0; i < table->cells; i++) {

        if (table->budgets[i].name == 0) {
            continue;
        }

        budget = &table->budgets[i].budget;
        cell = cells[i];

        modelguard_budget_roll(budget, &cell, now);
        spent = modelguard_budget_spent(budget, &cell, now);

        if (spent == 0) {
            continue;
        }

        if (spent >= budget->limit) {
            return MODELGUARD_TABLE_UNEVICTABLE;
        }

        /* fits: a limit has 40 bits */

        share = 1 + spent * MODELGUARD_TABLE_WHOLE / budget->limit;

        if (share > largest) {
            largest = share;
        }
    }

    return largest;
}


/*
 * Makes the slot free and clear.  A process killed in here may leave
 * table->records too small, never larger than the table.
 */

static void
modelguard_table_vacate(modelguard_table_t *table,
    const modelguard_table_work_t *work)
{
    const modelguard_table_record_t  *record;

    record = &work->record;

    if (record->id->low || record->id->high) {

        if (modelguard_table_share(table, record->cells, work->now)
            != MODELGUARD_TABLE_IDLE)
        {
            table->evicted++;
        }

        if (table->records) {
            table->records--;
        }

        modelguard_table_barrier();

        record->id->low = 0;
        record->id->high = 0;

        modelguard_table_barrier();
    }

    memset(record->cells, 0, table->cells * sizeof(modelguard_cell_t));
}


static void
modelguard_table_commit(modelguard_table_work_t *work)
{
    unsigned            i, n;
    modelguard_cell_t  *cell;

    for (i = 0; i < work->n; i++) {
        n = work->index[i];
        cell = &work->cells[n];

        modelguard_budget_spend(work->charges[i].budget, cell,
                                work->charges[i].cost, work->now);
        work->record.cells[n] = *cell;
    }

    *work->record.seen = work->now;
}


/*
 * Reports on verdict->which if LIMITED, else finds the charge whose budget
 * has the smallest share remaining.
 */

static void
modelguard_table_report(const modelguard_table_t *table,
    const modelguard_table_work_t *work, modelguard_verdict_t *verdict)
{
    unsigned                    i, n;
    uint64_t                    share, least;
    const modelguard_budget_t  *budget;

    if (verdict->verdict == MODELGUARD_PASSED && work->n > 1) {
        least = UINT64_MAX;

        for (i = 0; i < work->n; i++) {
            budget = work->charges[i].budget;

            share = work->left[work->index[i]] * MODELGUARD_TABLE_WHOLE
                    / (budget->limit + budget->burst);

            if (share < least) {
                least = share;
                verdict->which = i;
            }
        }
    }

    n = work->index[verdict->which];

    if (n == table->cells) {
        return;
    }

    budget = work->charges[verdict->which].budget;

    verdict->remaining = work->left[n];
    verdict->reset = modelguard_budget_reset(budget, &work->cells[n],
                                             work->now);
}
