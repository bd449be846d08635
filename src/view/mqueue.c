/* SPDX-License-Identifier: MIT */
/*
 * mqueue.c - /proc/sys/fs/mqueue: how many POSIX message queues there may be, and of what size.
 *
 * Locks: none; each is one word. Linux's counterpart: ipc/mq_sysctl.c.
 */
#include "task/mqueue.h"
#include "view/sysctl.h"
#include "view/view.h"

#define LEAST_SIZE 128

SETTING(queues_max, sysctl_mq_queues_max, 0, MQ_QUEUES_MOST, (void)0)
SETTING(msg_max, sysctl_mq_msg_max, 1, MQ_MSG_MOST, (void)0)
SETTING(msgsize_max, sysctl_mq_msgsize_max, LEAST_SIZE, MQ_SIZE_MOST, (void)0)
SETTING(msg_default, sysctl_mq_msg_default, 1, MQ_MSG_MOST, (void)0)
SETTING(msgsize_default, sysctl_mq_msgsize_default, LEAST_SIZE, MQ_SIZE_MOST, (void)0)

#define MQUEUE "/proc/sys/fs/mqueue"

static const struct view views[] = {
    SETTING_ROW(MQUEUE, queues_max),      SETTING_ROW(MQUEUE, msg_max),
    SETTING_ROW(MQUEUE, msgsize_max),     SETTING_ROW(MQUEUE, msg_default),
    SETTING_ROW(MQUEUE, msgsize_default),
};

void view_mqueue_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
