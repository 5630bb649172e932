#include "framework/dsl/printer.h"
namespace strata::dsl {
std::string print_float(double){return "";}
std::string print_string(const std::string& s){return "\""+s+"\"";}
std::string print(const File&){return "";}
}
