/* SPDX-License-Identifier: MIT */
/*
 * job.c - pipelines that run beside the prompt.
 *
 *      jobs:  [1] memhog 400M      each a thread with a console of its own, which runs the
 *             [2] memhog 400M      pipeline just as the prompt would, and then removes itself
 *
 * Locks: `lock` (RANK_CONSOLE) guards the list; a job's script and console are its thread's alone.
 * Invariant: a job is on the list from job_start() until its pipeline has ended and said so.
 */
#include "console/job.h"

#include "base/errno.h"
#include "base/list.h"
#include "base/string.h"
#include "console/run.h"
#include "kern/completion.h"
#include "kern/lock.h"
#include "kern/thread.h"
#include "kern/wait.h"
#include "slab/kmalloc.h"

#define MAX_JOBS 64
#define JOB_TEXT 80

struct job {
    struct list_head node;
    int number;
    unsigned first;
    struct console con;
    struct script *script;
    char text[JOB_TEXT];
};

static struct spinlock lock = SPINLOCK_INIT("jobs", RANK_CONSOLE);
static LIST_HEAD(jobs);
static struct wait_queue ended = WAIT_QUEUE_INIT(ended);
static unsigned nr_jobs; /* under lock */
static int last_number;  /* under lock */
static int last_status;  /* under lock */

static void job_thread(void *arg)
{
    struct job *job = arg;
    unsigned last = pipeline_end(job->script, job->first);
    int status = pipeline_run(&job->con, job->script, job->first, last);
    console_begun(&job->con);
    print(job->con.out, "[%d] done, status %d: %s\n", job->number, status, job->text);
    spin_lock(&lock);
    list_del(&job->node);
    nr_jobs--;
    last_status = status;
    spin_unlock(&lock);
    wake_up_all(&ended);
    kfree(job->script);
    kfree(job);
    thread_exit();
}

/* A script that owns its text: the words must point into the copy. */
static struct script *script_copy(const struct script *from)
{
    struct script *to = kmalloc(sizeof(*to), GFP_KERNEL);
    if (!to)
        return NULL;
    memcpy(to, from, sizeof(*to));
    for (unsigned i = 0; i < to->nr_words; i++)
        if (!from->is_status[i])
            to->words[i] = to->text + (from->words[i] - from->text);
    return to;
}

static struct job *job_create(struct sink *out, const struct script *script, unsigned first)
{
    struct job *job = kzalloc(sizeof(*job), GFP_KERNEL);
    if (!job)
        return NULL;
    job->script = script_copy(script);
    if (!job->script) {
        kfree(job);
        return NULL;
    }
    job->first = first;
    job->con.out = out;
    pipeline_text(script, first, pipeline_end(script, first), job->text, sizeof(job->text));
    return job;
}

static bool job_enlist(struct job *job)
{
    spin_lock(&lock);
    bool room = nr_jobs < MAX_JOBS;
    if (room) {
        nr_jobs++;
        job->number = ++last_number;
        list_add_tail(&job->node, &jobs);
    }
    spin_unlock(&lock);
    return room;
}

static void job_discard(struct job *job)
{
    kfree(job->script);
    kfree(job);
}

int job_start(struct sink *out, const struct script *script, unsigned first)
{
    struct job *job = job_create(out, script, first);
    if (!job)
        return -ENOMEM;
    struct thread *thread = thread_create("job", job_thread, job, NO_NODE, (hartmask_t){0});
    if (!thread || !job_enlist(job)) {
        if (thread)
            thread_discard(thread);
        job_discard(job);
        return thread ? -EAGAIN : -ENOMEM;
    }
    struct completion begun; /* so that a command typed next sees the guest */
    completion_init(&begun);
    job->con.begun = &begun;
    int number = job->number;
    thread_set_class(thread, RUN_HIGH);
    thread_start(thread);
    wait_for_completion(&begun);
    return number;
}

/* Does job @number (0: any) still run? */
static bool job_runs(int number)
{
    struct job *job;
    bool found = false;
    spin_lock(&lock);
    list_for_each_entry(job, &jobs, node)
        found |= !number || job->number == number;
    spin_unlock(&lock);
    return found;
}

int job_wait(int number)
{
    if (number && !job_runs(number))
        return -ESRCH;
    while (job_runs(number)) {
        (void)wait_event_killable_timeout(&ended, !job_runs(number), 100 * NSEC_PER_MSEC);
        if (console_interrupted())
            return -EINTR;
    }
    return last_status;
}

unsigned job_count(void)
{
    return nr_jobs;
}

void job_each(void (*fn)(int number, const char *line, void *arg), void *arg)
{
    struct job *job;
    for (int number = 1; number <= last_number; number++) {
        char text[JOB_TEXT];
        bool found = false;
        spin_lock(&lock);
        list_for_each_entry(job, &jobs, node) {
            if (job->number == number) {
                strlcpy(text, job->text, sizeof(text));
                found = true;
            }
        }
        spin_unlock(&lock);
        if (found)
            fn(number, text, arg);
    }
}
