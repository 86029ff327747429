
/*
 * Copyright (C) the modelguard authors
 *
 * What the files of modelguard_table share: where the parts of a table lie,
 * and a call at work on one record.
 */


#ifndef MODELGUARD_TABLE_INSIDE_H_INCLUDED
#define MODELGUARD_TABLE_INSIDE_H_INCLUDED


#include "modelguard_table.h"


#define MODELGUARD_TABLE_CHOICES  2          /* buckets of an id */

#define MODELGUARD_TABLE_WHOLE    ((uint64_t) 1 << 20)    /* a share of 1 */
#define MODELGUARD_TABLE_KEPT     UINT64_MAX /* rank: never evicted */

#define MODELGUARD_TABLE_FOREVER  UINT32_MAX /* s; "held" only */
#define MODELGUARD_TABLE_LAST     (UINT32_MAX - 1)

#define MODELGUARD_TABLE_AHEAD    86400000   /* ms: by more a clock is wrong */

/* the id of the overflow record, with the magic: any constants will do that a
   hash is not likely to be */

#define MODELGUARD_TABLE_SPILL    0x776f6c667265766fULL


/*
 * A process may be killed at any store, and the next one must find the stores
 * before a barrier made whenever one after it is.  Only the compiler could
 * mix them up: what a processor has executed is seen by all once the kernel,
 * as the process ends, hands its lock over, and what has not been executed is
 * no store at all.  A power failure is another matter: that is what checksums
 * are for.
 */

#ifdef __GNUC__

#define modelguard_table_barrier()       __asm__ __volatile__("" ::: "memory")
#define modelguard_table_prefetch(addr)  __builtin_prefetch(addr)
#define modelguard_table_likely(cond)    __builtin_expect(!!(cond), 1)
#define modelguard_table_inline          static inline                        \
                                         __attribute__((always_inline))

#else

#define modelguard_table_barrier()
#define modelguard_table_prefetch(addr)
#define modelguard_table_likely(cond)    (cond)
#define modelguard_table_inline          static inline

#endif


/*
 * The same for what is going to be written, and may be another processor's.
 * Compilers do not use that instruction unasked, for the oldest processors do
 * nothing at it.
 */

#if defined(__GNUC__) && defined(__x86_64__)
#define modelguard_table_prefetch_own(addr)                                   \
    __asm__ __volatile__("prefetchw %0" :: "m" (*(const char *) (addr)))
#else
#define modelguard_table_prefetch_own(addr)  modelguard_table_prefetch(addr)
#endif


/* of this module only: no table of addresses is asked where it is */

#if defined(__GNUC__) && defined(__ELF__)
#define modelguard_table_hidden          __attribute__((visibility("hidden")))
#else
#define modelguard_table_hidden
#endif


/* for loops of so few turns that counting them is what they cost */

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 8
#define modelguard_table_unroll          _Pragma("GCC unroll 8")
#else
#define modelguard_table_unroll
#endif


/* in a bucket it has table->cells cells only, see modelguard_table_room() */

typedef struct {
    uint32_t            check;               /* of the id and the rest */
    uint32_t            seen;                /* s */
    uint32_t            banned;              /* s: until then */
    uint32_t            held;                /* s: until then it has spent all
                                                of a limit, or FOREVER */
    uint32_t            strikes;             /* see modelguard_table_strike() */
    uint32_t            struck;              /* s: the last strike */
    modelguard_cell_t   cells[MODELGUARD_TABLE_BUDGETS];
} modelguard_table_body_t;


/* a record as it is to be; the process that armed it may be dead */

typedef struct {
    uint32_t                 armed;
    uint32_t                 check;          /* of all that follows */
    uint64_t                 number;         /* of the record in the shard */
    uint64_t                 records;        /* the shard's count then */
    modelguard_id_t          id;
    modelguard_table_body_t  body;
} modelguard_table_journal_t;


typedef struct {
    modelguard_lock_t           lock;
    modelguard_table_journal_t  journal;
    modelguard_table_stat_t     stat;
    uint8_t                     spare[40];   /* to a whole cache line */
} modelguard_table_shard_t;


/* the record of modelguard_table_overflow() has a place of its own */

typedef struct {
    modelguard_id_t          id;
    modelguard_table_body_t  body;
    uint8_t                  spare[24];
} modelguard_table_overflow_t;


typedef struct {
    modelguard_id_t          *id;            /* NULL: there is none */
    modelguard_table_body_t  *body;
    uint64_t                  number;
} modelguard_table_record_t;


typedef struct {
    modelguard_id_t  *ids;
    uint64_t          page;                  /* of the shard */
    uint64_t          place;                 /* in it */
} modelguard_table_bucket_t;


/* a call at work: nothing is written before modelguard_table_commit() */

typedef struct {
    modelguard_table_t         *table;
    modelguard_table_shard_t   *shard;
    const modelguard_id_t      *id;
    uint64_t                    now;         /* ms */
    uint32_t                    second;      /* the same in s */
    unsigned                    fresh:1;     /* the record is a new one's */
    uint64_t                    rank;        /* of whom it takes the place */
    modelguard_table_record_t   record;
    modelguard_table_bucket_t   buckets[MODELGUARD_TABLE_CHOICES];
} modelguard_table_work_t;


/*
 * What a checksum multiplies with: an id, what is beside the check, two words,
 * and three for every cell
 */

#define MODELGUARD_TABLE_WORDS  (5 + 3 * MODELGUARD_TABLE_BUDGETS)

extern const uint64_t  modelguard_table_factors[MODELGUARD_TABLE_WORDS]
    modelguard_table_hidden;


/* bytes of a body in a bucket */

static inline size_t
modelguard_table_room_of(uint32_t cells)
{
    return offsetof(modelguard_table_body_t, cells)
           + cells * sizeof(modelguard_cell_t);
}


static inline size_t
modelguard_table_room(const modelguard_table_t *table)
{
    return modelguard_table_room_of(table->cells);
}


/* buckets in a page with 1, 2, 4 or 8 cells; 0 for other numbers */

static inline unsigned
modelguard_table_pack(uint32_t cells)
{
    static const uint8_t  pack[MODELGUARD_TABLE_BUDGETS + 1] = {
        0, 8, 5, 0, 3, 0, 0, 0, 2
    };

    return (cells <= MODELGUARD_TABLE_BUDGETS) ? pack[cells] : 0;
}


/* records of a shard, which is also the number of the overflow record */

static inline uint64_t
modelguard_table_records(const modelguard_table_t *table)
{
    return (uint64_t) table->pages * modelguard_table_pack(table->cells)
           * MODELGUARD_TABLE_WAYS;
}


static inline modelguard_table_overflow_t *
modelguard_table_spill(const modelguard_table_t *table)
{
    return (modelguard_table_overflow_t *) (uintptr_t)
               ((const uint8_t *) table + sizeof(modelguard_table_t));
}


static inline modelguard_table_shard_t *
modelguard_table_part(const modelguard_table_t *table, unsigned shard)
{
    return (modelguard_table_shard_t *) (uintptr_t)
               ((const uint8_t *) table + sizeof(modelguard_table_t)
                + sizeof(modelguard_table_overflow_t)
                + shard * sizeof(modelguard_table_shard_t));
}


/* the bytes before the first page */

static inline size_t
modelguard_table_first(unsigned shards)
{
    size_t  size;

    size = sizeof(modelguard_table_t) + sizeof(modelguard_table_overflow_t)
           + shards * sizeof(modelguard_table_shard_t);

    return (size + MODELGUARD_TABLE_PAGE - 1)
           & ~(size_t) (MODELGUARD_TABLE_PAGE - 1);
}


/* where the bucket of a page and place is, in a table of so many cells */

static inline void
modelguard_table_seat(const modelguard_table_t *table, uint32_t cells,
    unsigned shard, modelguard_table_bucket_t *bucket)
{
    uint64_t  offset;

    offset = modelguard_table_first(table->shards)
             + ((uint64_t) shard * table->pages + bucket->page)
               * MODELGUARD_TABLE_PAGE
             + bucket->place * MODELGUARD_TABLE_WAYS
               * (sizeof(modelguard_id_t) + modelguard_table_room_of(cells));

    bucket->ids = (modelguard_id_t *) (uintptr_t)
                      ((const uint8_t *) table + offset);
}


static inline void
modelguard_table_bucket(const modelguard_table_t *table, unsigned shard,
    uint64_t page, uint64_t place, modelguard_table_bucket_t *bucket)
{
    bucket->page = page;
    bucket->place = place;

    modelguard_table_seat(table, table->cells, shard, bucket);
}


static inline void
modelguard_table_record_of(uint32_t cells,
    const modelguard_table_bucket_t *bucket, unsigned way,
    modelguard_table_record_t *record)
{
    record->id = &bucket->ids[way];
    record->body = (modelguard_table_body_t *)
                       ((uint8_t *) (bucket->ids + MODELGUARD_TABLE_WAYS)
                        + way * modelguard_table_room_of(cells));
    record->number = (bucket->page * modelguard_table_pack(cells)
                      + bucket->place)
                     * MODELGUARD_TABLE_WAYS + way;
}


static inline void
modelguard_table_record(const modelguard_table_t *table,
    const modelguard_table_bucket_t *bucket, unsigned way,
    modelguard_table_record_t *record)
{
    modelguard_table_record_of(table->cells, bucket, way, record);
}


/* a copy of the record to work on, that of a client never seen if there is
   none */

static inline void
modelguard_table_image(const modelguard_table_work_t *work,
    modelguard_table_body_t *body, int fresh)
{
    if (fresh) {
        memset(body, 0, modelguard_table_room(work->table));

    } else {
        memcpy(body, work->record.body, modelguard_table_room(work->table));
    }
}


static inline uint32_t
modelguard_table_second(uint64_t now)
{
    return (now / 1000 < MODELGUARD_TABLE_LAST) ? (uint32_t) (now / 1000)
                                                : MODELGUARD_TABLE_LAST;
}


/*
 * A clock that steps back stands still for a cell until it has made up for
 * that.  When it was far ahead that may take years: what was spent then counts
 * as spent now.
 */

static inline void
modelguard_table_date(modelguard_cell_t *cell, uint64_t now)
{
    if (now < MODELGUARD_BUDGET_TIME_MAX
        && modelguard_cell_start(cell) > now + MODELGUARD_TABLE_AHEAD)
    {
        cell->stamp = now << 16 | (cell->stamp & 0xffff);
    }
}


/* the checksum of a journal whose body has its own */

static inline uint32_t
modelguard_table_check_journal(const modelguard_table_journal_t *journal)
{
    uint64_t  sum;

    sum = journal->number * modelguard_table_factors[0]
          + journal->records * modelguard_table_factors[1]
          + journal->body.check * modelguard_table_factors[2];

    return (uint32_t) (sum >> 32);
}


/* dates a body: seen now */

static inline void
modelguard_table_touch(const modelguard_table_work_t *work,
    modelguard_table_body_t *body)
{
    body->seen = work->second;
}


/* modelguard_table.c */

/* the sum that table->check is, as if that registration were done */

uint64_t modelguard_table_sum(const modelguard_table_t *table,
    uint64_t pending);

/* the record of that number, 0 .. modelguard_table_records() */

void modelguard_table_nth(const modelguard_table_t *table, unsigned shard,
    uint64_t number, modelguard_table_record_t *record);

/* the rest of modelguard_table_take(), which see */

int modelguard_table_taken(modelguard_table_t *table,
    modelguard_table_shard_t *part, int rc);

/* finds the two buckets of an id, and its record if there is one */

void modelguard_table_find(modelguard_table_t *table,
    const modelguard_id_t *id, uint64_t now, modelguard_table_work_t *work);


/* modelguard_table_place.c */

/*
 * Chooses a record for a new id and changes nothing: MODELGUARD_OK, or
 * MODELGUARD_NOMEM.
 */

int modelguard_table_place(modelguard_table_work_t *work);

/* who has less goes first: what was seen last when idle, or the share spent */

uint64_t modelguard_table_rank(const modelguard_table_t *table,
    const modelguard_table_body_t *body, uint64_t now);

/* the second until which all of the limit is spent, 0 if it is not */

uint32_t modelguard_table_until(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now);

/*
 * Sets "held" of a body: "until" is known of the cells in the mask "known",
 * what held it so far may have come from another one.
 */

void modelguard_table_hold(const modelguard_table_work_t *work,
    modelguard_table_body_t *body, unsigned known, uint32_t until);

/* modelguard_table_charge.c */

/* modelguard_table_charge(), whatever there is to charge */

void modelguard_table_charge_any(modelguard_table_t *table,
    const modelguard_id_t *id, modelguard_charge_t *charges, unsigned n,
    uint64_t now, modelguard_verdict_t *verdict);


/* modelguard_table_repair.c */

/* the checksum of a record */

uint32_t modelguard_table_check_record(const modelguard_table_t *table,
    const modelguard_id_t *id, const modelguard_table_body_t *body);

/* the record's image in the journal, to be changed and committed */

modelguard_table_body_t *modelguard_table_prepare(
    const modelguard_table_work_t *work);

/* makes the image the record, of work->id; counts whom it evicts */

void modelguard_table_commit(modelguard_table_work_t *work);

/* makes the record free */

void modelguard_table_clear(modelguard_table_work_t *work);

/* stores a record whole */

void modelguard_table_store(const modelguard_table_t *table,
    const modelguard_table_record_t *record, const modelguard_id_t *id,
    const modelguard_table_body_t *body);

/* does what a dead owner of the shard's lock has begun */

void modelguard_table_repair(modelguard_table_t *table, unsigned shard);

/* registers what "pending" and "next" say */

void modelguard_table_enter(modelguard_table_t *table);


#endif /* MODELGUARD_TABLE_INSIDE_H_INCLUDED */
