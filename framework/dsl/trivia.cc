#include "framework/dsl/trivia.h"
namespace strata::dsl {
void attach_trivia(const SourceFile&, const std::vector<Comment>&, File&) {}
}
