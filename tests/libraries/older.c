/* What the other kinds of plugins that grew since the boundary's version 1.0 looked like then, in
 * plain C: an optimizer (plain descent), a schedule (half the rate) and a transform (nothing). */
#include <string.h>

#include "framework/plugin/abi.h"

static int create(const strata_value* options, int64_t count, void** instance,
                  strata_error* error) {
  (void)options, (void)count, (void)error;
  static char nothing;
  *instance = &nothing;
  return STRATA_OK;
}
static void destroy(void* instance) { (void)instance; }

static int64_t slot_count(const void* instance) {
  (void)instance;
  return 0;
}
static const char* slot_name(const void* instance, int64_t slot) {
  (void)instance, (void)slot;
  return NULL;
}
static int update(const void* instance, const strata_update_pass* pass, strata_error* error) {
  (void)instance, (void)error;
  for (int64_t i = 0; i < pass->count; ++i) {
    if (pass->dtype == STRATA_F32) {
      ((float*)pass->weights)[i] -= (float)pass->learning_rate * ((const float*)pass->gradient)[i];
    } else {
      ((double*)pass->weights)[i] -= pass->learning_rate * ((const double*)pass->gradient)[i];
    }
  }
  return STRATA_OK;
}

static double factor(const void* instance, int64_t step, int64_t total, int64_t per_epoch) {
  (void)instance, (void)step, (void)total, (void)per_epoch;
  return 0.5;
}

static int infer(const void* instance, const strata_field* fields, int64_t count,
                 strata_data_plan* plan, strata_error* error) {
  (void)instance, (void)error;
  for (int64_t i = 0; i < count; ++i) {
    plan->add_field(plan->host, fields);
    fields = (const strata_field*)((const char*)fields + fields->struct_size);
  }
  return STRATA_OK;
}
static int apply(const void* instance, const strata_field* fields, int64_t count,
                 const strata_transform_pass* pass, strata_error* error) {
  (void)instance, (void)fields, (void)count, (void)pass, (void)error;
  return STRATA_OK;
}

static const strata_option kRate = {
    sizeof(strata_option),
    "lr",
    "learning rate",
    STRATA_FLOAT,
    0,
    0,
    0,
    {sizeof(strata_value), STRATA_FLOAT, 0, 0.01, NULL, NULL, 0, NULL},
    0,
    1e300,
    NULL,
    0};
#define SCHEMA(example, options, count)                                                       \
  {                                                                                           \
    sizeof(strata_schema), "Of an older library.", example, options, count, NULL, 0, 0, NULL, \
        NULL, 0                                                                               \
  }
static const strata_schema kOptimizerSchema = SCHEMA("OldDescent(lr = 0.1)", &kRate, 1);
static const strata_schema kScheduleSchema = SCHEMA("OldHalf", NULL, 0);
static const strata_schema kTransformSchema = SCHEMA("OldNothing", NULL, 0);
static const strata_optimizer kOptimizer = {sizeof(strata_optimizer), &slot_count, &slot_name,
                                            &update};
static const strata_schedule kSchedule = {sizeof(strata_schedule), &factor};
static const strata_transform kTransform = {sizeof(strata_transform), &infer, &apply};
static const strata_entry kEntries[] = {{sizeof(strata_entry), STRATA_OPTIMIZER, "OldDescent",
                                         &kOptimizerSchema, &create, &destroy, &kOptimizer},
                                        {sizeof(strata_entry), STRATA_SCHEDULE, "OldHalf",
                                         &kScheduleSchema, &create, &destroy, &kSchedule},
                                        {sizeof(strata_entry), STRATA_TRANSFORM, "OldNothing",
                                         &kTransformSchema, &create, &destroy, &kTransform}};
static const strata_entry* const kAll[] = {&kEntries[0], &kEntries[1], &kEntries[2]};

const strata_tag strata_plugin_tag = STRATA_TAG("older", "1.0");
int strata_plugin_entries(strata_library* library, strata_error* error) {
  (void)error;
  library->entries = kAll;
  library->entry_count = 3;
  return STRATA_OK;
}
