
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_table after a process was killed, at every single store of it,
 * and after a power failure: locks, journals, checksums.
 */


#include <signal.h>
#include <sys/wait.h>

#include "table.h"


#define SIZE   bytes(1)
#define STEPS  4000


typedef struct {
    uint8_t  *bytes;
    size_t    n;
} steps_t;


static const budget_t  minute = { 10, 5, 60000, 0, 0 };
static const budget_t  life = { 100, 0, 0, MODELGUARD_BUDGET_LIFETIME, 0 };
static const budget_t  open_now = { 3, 0, 60000,
                                    MODELGUARD_BUDGET_CONCURRENT, 0 };


static void *
shared(size_t size)
{
    void  *mem;

    mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
               -1, 0);

    if (mem == MAP_FAILED) {
        printf("Bail out! no memory\n");
        exit(2);
    }

    return mem;
}


/* a child takes a lock and dies, or holds it until it is killed */

static pid_t
holder(modelguard_lock_t *lock, int dies)
{
    int    fd[2];
    char   c;
    pid_t  pid;

    if (pipe(fd) != 0) {
        exit(2);
    }

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        alarm(10);
        (void) modelguard_lock_take(lock);

        if (dies) {
            _exit(0);
        }

        (void) !write(fd[1], "x", 1);

        for ( ;; ) {
            pause();
        }
    }

    if (dies) {
        waitpid(pid, NULL, 0);

    } else {
        (void) !read(fd[0], &c, 1);
    }

    close(fd[0]);
    close(fd[1]);

    return pid;
}


static void
test_lock(void)
{
    int                 rc;
    pid_t               pid;
    modelguard_lock_t  *lock;

    lock = shared(4096);

    ok(modelguard_lock_init(lock) == MODELGUARD_OK
       && modelguard_lock_take(lock) == MODELGUARD_OK, "a lock is taken");
    ok(modelguard_lock_take(lock) == MODELGUARD_INVALID,
       "not twice by the same thread");
    modelguard_lock_release(lock);
    ok(modelguard_lock_try(lock) == MODELGUARD_OK, "and tried for");
    modelguard_lock_release(lock);

    pid = holder(lock, 0);
    ok(modelguard_lock_try(lock) == MODELGUARD_AGAIN, "another has it");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    rc = modelguard_lock_try(lock);
    ok(rc == MODELGUARD_LOCK_ORPHANED, "and was killed: the lock is orphaned");
    modelguard_lock_repaired(lock);
    modelguard_lock_release(lock);
    ok(modelguard_lock_take(lock) == MODELGUARD_OK, "repaired, it is as new");
    modelguard_lock_release(lock);

    (void) holder(lock, 1);
    (void) holder(lock, 1);
    ok(modelguard_lock_take(lock) == MODELGUARD_LOCK_ORPHANED,
       "two in a row died, the second before it had repaired");
    modelguard_lock_release(lock);
    ok(modelguard_lock_take(lock) == MODELGUARD_INVALID
       && modelguard_lock_try(lock) == MODELGUARD_INVALID,
       "who lets go without a repair gives it up");
    ok(modelguard_lock_init(lock) == MODELGUARD_OK
       && modelguard_lock_take(lock) == MODELGUARD_OK, "until it is made anew");
    modelguard_lock_release(lock);

    munmap(lock, 4096);
}


static void
test_table_lock(void)
{
    size_t    size;
    table_t  *table;
    unsigned  i, failed;

    size = bytes(32);
    table = shared(size);
    modelguard_table_init(table, size, 1, uid, 0);
    failed = 0;

    ok(table->shards == 2, "two shards");

    (void) holder(&modelguard_table_part(table, 1)->lock, 1);

    ok(modelguard_table_lock(table, 0) == MODELGUARD_OK
       && stat_of(table).recovered == 0
       && modelguard_table_lock(table, 1) == MODELGUARD_OK
       && stat_of(table).recovered == 1, "the lock of a dead one");
    modelguard_table_unlock(table, 1);
    modelguard_table_unlock(table, 0);

    (void) holder(&modelguard_table_part(table, 0)->lock, 1);
    (void) holder(&modelguard_table_part(table, 1)->lock, 1);

    ok(modelguard_table_lock_all(table) == MODELGUARD_OK
       && stat_of(table).recovered == 3
       && modelguard_table_part(table, 0)->stat.recovered == 1,
       "the locks of two dead ones");
    table->moved = MODELGUARD_TABLE_MOVED;
    modelguard_table_unlock_all(table);

    for (i = 0; i < 2; i++) {
        failed += modelguard_table_lock(table, i) != MODELGUARD_TABLE_MOVED;
        failed += modelguard_lock_try(&modelguard_table_part(table, i)->lock)
                  != MODELGUARD_OK;
        modelguard_table_unlock(table, i);
    }

    ok(failed == 0, "a table that has moved is not locked");

    ok(modelguard_table_lock_all(table) == MODELGUARD_OK,
       "unless all of it is");
    modelguard_table_unlock_all(table);

    (void) holder(&modelguard_table_part(table, 1)->lock, 1);
    (void) modelguard_lock_take(&modelguard_table_part(table, 1)->lock);
    modelguard_lock_release(&modelguard_table_part(table, 1)->lock);

    ok(modelguard_table_lock(table, 1) == MODELGUARD_INVALID
       && modelguard_table_lock_all(table) == MODELGUARD_INVALID
       && modelguard_lock_try(&modelguard_table_part(table, 0)->lock)
          == MODELGUARD_OK, "a lock beyond repair leaves no other one taken");
    modelguard_table_unlock(table, 0);

    munmap(table, size);
}


/* three budgets and some clients, in the one page of a table */

static void
fill(table_t *table, unsigned n)
{
    unsigned  i;
    client_t  id;
    charge_t  charges[3];

    memset(charges, 0, sizeof(charges));
    charges[0].name = 7;
    charges[0].budget = &minute;
    charges[1].name = 8;
    charges[1].budget = &life;
    charges[2].name = 9;
    charges[2].budget = &open_now;

    modelguard_table_init(table, SIZE, 4, uid, 0);
    modelguard_table_register(table, 7, &minute);
    modelguard_table_register(table, 8, &life);
    modelguard_table_register(table, 9, &open_now);

    for (i = 0; i < n; i++) {
        id = client(i);
        charges[0].cost = 1 + i % 9;
        charges[1].cost = i % 50;
        charges[2].cost = i % 2;
        ask(table, &id, charges, 3, 100000 + 1000 * i);
    }
}


/* the operations whose every store is looked at */

static void
work_known(table_t *table)
{
    charge(table, 1, &minute, 2, 200000);
}


static void
work_new(table_t *table)
{
    charge(table, 1000, &minute, 3, 200000);
}


static void
work_refused(table_t *table)
{
    charge(table, 8, &minute, 100, 200000);
}


static void
work_settle(table_t *table)
{
    client_t  id = client(2);
    settle_t  settle;

    memset(&settle, 0, sizeof(settle));
    settle.name = 8;
    settle.budget = &life;
    settle.reserved = 2;
    settle.actual = 60;
    settle.then = 102000;
    settle.learn = 1;

    (void) modelguard_table_settle(table, &id, &settle, 1, 200000);
}


static void
work_ban(table_t *table)
{
    client_t  id = client(3);

    (void) modelguard_table_ban(table, &id, 60, 200000);
}


static void
work_overflow(table_t *table)
{
    client_t  id;
    charge_t  one;

    modelguard_table_overflow(&id);

    memset(&one, 0, sizeof(one));
    one.name = 7;
    one.budget = &minute;
    one.cost = 2;

    (void) ask(table, &id, &one, 1, 200000);
}


static void
work_sweep(table_t *table)
{
    uint64_t  cursor = 0;

    (void) modelguard_table_sweep(table, 0, &cursor, 1, 10, 100000000000);
}


static void
work_register(table_t *table)
{
    budget_t  day = { 44, 0, 0, MODELGUARD_BUDGET_DAY, -3600 };

    (void) modelguard_table_register(table, 7, &day);
}


static void
work_window(table_t *table)
{
    budget_t  budget = { 44, 3, 5000, 0, 0 };

    (void) modelguard_table_register(table, 8, &budget);
}


static void
work_add(table_t *table)
{
    budget_t  budget = { 44, 3, 5000, 0, 0 };

    (void) modelguard_table_register(table, 10, &budget);
}


typedef struct {
    const char  *name;
    unsigned     clients;
    unsigned     commits;                    /* 0: any number */
    void       (*work)(table_t *table);
} job_t;


static const job_t  jobs[] = {
    { "a known client", 12, 1, work_known },
    { "a new client", 12, 1, work_new },
    { "a new client for another", 400, 1, work_new },
    { "a refused client", 12, 1, work_refused },
    { "settling", 12, 1, work_settle },
    { "a ban", 12, 1, work_ban },
    { "the overflow record", 12, 1, work_overflow },
    { "sweeping", 8, 0, work_sweep },
    { "another budget under the name", 12, 0, work_register },
    { "a window for a lifetime", 12, 0, work_window },
    { "one more budget", 12, 0, work_add }
};


#if (defined __x86_64__)

static table_t  *watched;
static uint8_t  *last;
static steps_t   steps;


/* after every instruction: is the memory what it was? */

static void
on_step(int signo)
{
    (void) signo;

    if (memcmp(watched, last, SIZE) == 0 || steps.n == STEPS) {
        return;
    }

    memcpy(last, watched, SIZE);
    memcpy(steps.bytes + steps.n++ * SIZE, watched, SIZE);
}


static void
step(const job_t *job, table_t *table)
{
    watched = table;
    memcpy(last, table, SIZE);
    memcpy(steps.bytes, table, SIZE);
    steps.n = 1;

    signal(SIGTRAP, on_step);

    __asm__ __volatile__("lea -256(%%rsp), %%rsp\n"
                         "pushfq\n"
                         "orq $0x100, (%%rsp)\n"
                         "popfq\n"
                         "lea 256(%%rsp), %%rsp\n" ::: "memory", "cc");

    job->work(table);

    __asm__ __volatile__("lea -256(%%rsp), %%rsp\n"
                         "pushfq\n"
                         "andq $~0x100, (%%rsp)\n"
                         "popfq\n"
                         "lea 256(%%rsp), %%rsp\n" ::: "memory", "cc");

    signal(SIGTRAP, SIG_DFL);
}


/* what counts: the header, the overflow record, and the pages */

static int
same(const table_t *a, const table_t *b)
{
    size_t  head;

    head = sizeof(table_t) + sizeof(modelguard_table_overflow_t);

    return memcmp(a->budgets, b->budgets, sizeof(a->budgets)) == 0
           && a->check == b->check
           && memcmp((const uint8_t *) a + sizeof(table_t),
                     (const uint8_t *) b + sizeof(table_t),
                     head - sizeof(table_t))
              == 0
           && memcmp(slot(a, 0).id, slot(b, 0).id, PAGE) == 0;
}


/* no moment has a budget whose arithmetic divides by no window */

static unsigned
windowless(const table_t *table)
{
    unsigned         i, n;
    const budget_t  *budget;

    n = 0;

    for (i = 0; i < BUDGETS; i++) {
        budget = &table->budgets[i].budget;

        n += table->budgets[i].name && budget->window == 0
             && (budget->kind == MODELGUARD_BUDGET_SLIDING
                 || budget->kind == MODELGUARD_BUDGET_CONCURRENT);
        n += table->budgets[i].name && budget->limit == 0;
    }

    return n;
}


static void
test_stores(const job_t *job, int opens)
{
    int       after, was;
    size_t    i, failed, first, changes;
    table_t  *table, *copy, *old;
    report_t  report;

    table = shared(SIZE);
    copy = shared(SIZE);
    old = shared(SIZE);
    last = shared(SIZE);
    steps.bytes = shared(SIZE * STEPS);

    fill(table, job->clients);
    memcpy(old, table, SIZE);
    step(job, table);

    failed = 0;
    was = 0;
    first = 0;
    changes = 0;

    for (i = 0; i < steps.n; i++) {
        memcpy(copy, steps.bytes + i * SIZE, SIZE);

        failed += windowless(copy);
        failed += modelguard_table_check(copy, SIZE, SIZE) != MODELGUARD_OK;

        if (opens) {
            modelguard_table_open(copy, 300000, &report);
            failed += report.repaired != 0;

        } else {
            modelguard_table_repair(copy, 0);
        }

        failed += modelguard_table_check(copy, SIZE, SIZE) != MODELGUARD_OK;
        failed += walk(copy) < 0;
        failed += modelguard_table_part(copy, 0)->journal.armed != 0;
        failed += copy->pending != 0;

        after = same(copy, table);
        failed += job->commits && !after && !same(copy, old);

        /* done is done */

        failed += job->commits && was && !after;

        if (after && !was) {
            first = i;
        }

        if (!same(copy, old)) {
            changes++;
            memcpy(old, copy, SIZE);
        }

        was = after;
    }

    failed += job->commits ? changes != 1 : changes < 1;

    ok(failed == 0 && was && steps.n > 5 && steps.n < STEPS && first,
       "%s, killed after each of %u stores, %s: done or not, and done from "
       "the %u-th on", job->name, (unsigned) steps.n - 1,
       opens ? "opened" : "repaired", (unsigned) first);

    munmap(table, SIZE);
    munmap(copy, SIZE);
    munmap(old, SIZE);
    munmap(last, SIZE);
    munmap(steps.bytes, SIZE * STEPS);
}

#endif


/* the same on any machine: a journal, and a record begun up to each byte */

static void
test_journal(void)
{
    size_t                       i, failed;
    uint8_t                     *from, *to;
    table_t                     *table, *copy, *done;
    record_t                     record;
    report_t                     report;
    modelguard_table_journal_t  *journal;

    table = shared(SIZE);
    copy = shared(SIZE);
    done = shared(SIZE);
    failed = 0;

    fill(table, 12);
    memcpy(done, table, SIZE);
    work_new(done);
    journal = &modelguard_table_part(done, 0)->journal;

    for (i = 0; i <= 24 + 4 * 24 + 16; i++) {
        memcpy(copy, table, SIZE);
        memcpy(&modelguard_table_part(copy, 0)->journal, journal,
               sizeof(modelguard_table_journal_t));
        modelguard_table_part(copy, 0)->journal.armed = 1;

        modelguard_table_nth(copy, 0, journal->number, &record);
        from = (uint8_t *) &journal->body;
        to = (uint8_t *) record.body;
        memcpy(to, from, (i < 120) ? i : 120);

        if (i > 120) {
            memcpy(record.id, &journal->id, i - 120);
        }

        modelguard_table_open(copy, 300000, &report);

        failed += report.replayed != 1 || report.repaired != 0
                  || report.records != 13 || walk(copy) != 13
                  || memcmp(slot(copy, 0).id, slot(done, 0).id, PAGE) != 0;
    }

    ok(failed == 0, "a journal is done, whatever is there already");

    /* one that is torn itself, or that speaks of no record, says nothing */

    failed = 0;

    for (i = 0; i < 8 + 16 + 16 + 24 + 4 * 24; i++) {
        memcpy(copy, table, SIZE);
        memcpy(&modelguard_table_part(copy, 0)->journal, journal,
               sizeof(modelguard_table_journal_t));
        modelguard_table_part(copy, 0)->journal.armed = 1;
        ((uint8_t *) &modelguard_table_part(copy, 0)->journal)[i] ^= 0x40;

        modelguard_table_open(copy, 300000, &report);

        failed += report.replayed != 0 || walk(copy) != 12
                  || memcmp(slot(copy, 0).id, slot(table, 0).id, PAGE) != 0;
    }

    for (i = 0; i < 3; i++) {
        memcpy(copy, table, SIZE);
        memcpy(&modelguard_table_part(copy, 0)->journal, journal,
               sizeof(modelguard_table_journal_t));
        modelguard_table_part(copy, 0)->journal.armed = 1;
        modelguard_table_part(copy, 0)->journal.number
            = (i == 0) ? slots(copy) : (i == 1) ? slots(copy) + 1
                                                : UINT64_MAX;
        modelguard_table_part(copy, 0)->journal.check
            = modelguard_table_check_journal(
                  &modelguard_table_part(copy, 0)->journal);

        modelguard_table_open(copy, 300000, &report);

        failed += report.replayed != (i == 0);
    }

    ok(failed == 0, "a journal that is torn, or of no record, is not");

    munmap(table, SIZE);
    munmap(copy, SIZE);
    munmap(done, SIZE);
}


static int
spent_all(table_t *table, const client_t *id)
{
    unsigned         i, failed;
    uint64_t         names[3] = { 7, 8, 9 };
    charge_t         one;
    const budget_t  *budgets[3] = { &minute, &life, &open_now };

    memset(&one, 0, sizeof(one));
    failed = 0;

    for (i = 0; i < 3; i++) {
        one.name = names[i];
        one.budget = budgets[i];
        one.cost = 1;

        failed += ask(table, id, &one, 1, 300000).verdict
                  != MODELGUARD_LIMITED;
        failed += one.remaining != 0;
    }

    return failed == 0;
}


static void
test_torn(void)
{
    size_t    i, k, failed, n;
    uint8_t  *byte;
    table_t  *table, *copy;
    record_t  record, other;
    report_t  report;

    table = shared(SIZE);
    copy = shared(SIZE);
    failed = 0;
    n = 0;

    fill(table, 12);

    modelguard_table_open(table, 300000, &report);
    ok(report.records == 12 && report.repaired == 0 && report.replayed == 0
       && walk(table) == 12 && stat_of(table).repaired == 0,
       "a table is opened as it was left");

    for (k = 0; k < slots(table); k++) {
        record = slot(table, k);

        if (record.id->low == 0 && record.id->high == 0) {
            continue;
        }

        for (i = 0; i < 8 * (16 + 24 + 4 * 24); i++) {

            if (k % 8 && i % 8 != k % 8) {
                continue;
            }

            memcpy(copy, table, SIZE);
            other = slot(copy, k);
            byte = (i / 8 < 16) ? (uint8_t *) other.id + i / 8
                                : (uint8_t *) other.body + i / 8 - 16;
            *byte ^= (uint8_t) (1 << i % 8);

            modelguard_table_open(copy, 300000, &report);

            failed += report.records != 11 || report.repaired != 1
                      || stat_of(copy).repaired != 1 || walk(copy) != 12;

            if (i / 8 >= 16) {
                failed += other.body->held != MODELGUARD_TABLE_FOREVER
                          || other.body->banned || other.body->strikes;
                failed += !spent_all(copy, record.id);
            }

            n++;
        }
    }

    ok(failed == 0 && n > 1000, "a bit of a record is wrong, %u times: it is "
       "one that has spent all, and may not be evicted", (unsigned) n);

    /* two halves of two changes */

    memcpy(copy, table, SIZE);
    work_known(copy);
    failed = 0;

    for (k = 0; k < slots(table); k++) {
        record = slot(table, k);
        other = slot(copy, k);

        if (memcmp(record.body, other.body, 120)) {
            memcpy(other.body, record.body, 32);
            failed++;
        }
    }

    modelguard_table_open(copy, 300000, &report);
    ok(failed == 1 && report.repaired == 1 && report.records == 11,
       "a record of two halves");

    /* the overflow record, of which the id is known */

    work_overflow(table);
    memcpy(copy, table, SIZE);
    modelguard_table_open(copy, 300000, &report);
    failed = report.repaired != 0 || report.records != 12;
    modelguard_table_spill(copy)->id.low++;
    modelguard_table_open(copy, 300000, &report);
    failed += report.repaired != 1 || report.records != 12
              || stat_of(copy).records != 12
              || !spent_all(copy, &modelguard_table_spill(copy)->id);
    modelguard_table_spill(copy)->body.cells[0].cur = 0;
    modelguard_table_open(copy, 300000, &report);
    failed += report.repaired != 1;
    ok(failed == 0, "the overflow record");

    /* locks that nobody will release, counts that are wrong, a moved mark */

    (void) holder(&modelguard_table_part(table, 0)->lock, 1);
    modelguard_table_part(table, 0)->stat.records = 99;
    table->moved = MODELGUARD_TABLE_MOVED;
    modelguard_table_open(table, 300000, &report);
    ok(modelguard_table_lock(table, 0) == MODELGUARD_OK
       && stat_of(table).recovered == 0 && walk(table) == 12
       && table->moved == 0, "locks, counts and the mark are made anew");
    modelguard_table_unlock(table, 0);

    munmap(table, SIZE);
    munmap(copy, SIZE);
}


/* the peaks have no check, and any power failure or hand may spoil them */

static void
test_peaks(void)
{
    size_t    i, k;
    table_t  *table;
    client_t  id;
    record_t  record;
    report_t  report;

    table = shared(SIZE);
    fill(table, 12);

    k = 0;
    record = slot(table, k);

    while (record.id->low == 0 && record.id->high == 0) {
        record = slot(table, ++k);
    }

    id = *record.id;
    record.body->check++;

    for (i = 0; i < BUDGETS; i++) {
        table->budgets[i].peak = UINT64_MAX - i;
    }

    modelguard_table_open(table, 300000, &report);
    ok(report.repaired == 1 && spent_all(table, &id),
       "a torn record beside torn peaks has spent all, too");

    munmap(table, SIZE);
}


int
main(void)
{
    test_lock();
    test_table_lock();

#if (defined __x86_64__)

    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        test_stores(&jobs[i], 0);
        test_stores(&jobs[i], 1);
    }

#else

    (void) jobs;

    ok(1, "every store # SKIP x86-64 only");

#endif

    test_journal();
    test_torn();
    test_peaks();

    return tap_done();
}
