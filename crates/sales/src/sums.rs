//! Sums as messages.

use crm_proto::google::r#type::Money as MoneyMessage;
use crm_resource::Error;
use crm_values::{Currency, Money};

/// So many minor units of a currency that is stored.
pub(crate) fn money(currency: &str, minor: i128) -> Result<MoneyMessage, Error> {
    let known = Currency::stored(currency).ok_or(Error::Inconsistent("a stored currency is unknown"))?;
    let minor = i64::try_from(minor).map_err(|_| Error::Inconsistent("a sum is beyond what money can be"))?;
    Ok(message(minor, known))
}

/// So many minor units of a currency that is known.
pub(crate) fn message(minor: i64, currency: Currency) -> MoneyMessage {
    let (units, nanos) = Money::from_minor(minor, currency).parts();
    MoneyMessage { currency_code: currency.code().to_owned(), units, nanos }
}
