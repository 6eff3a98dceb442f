"""
A pandas table in and out
=========================

Give a scaler a DataFrame and ask for one back: index and column names stay, what was
missing is missing, and dtypes stay but for integers, which become floats. Columns of
text go another way, in a ``ColumnTransformer``.
"""

# %%
# A table as tables are
# ---------------------
# The wines of scikit-learn, with an index of their own, measurements in single
# precision, integers of which some are missing, and a column of text.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder

from skscale import MinMaxScaler, StandardScaler
from skscale.inspection import ScalingDisplay

wine = load_wine(as_frame=True)
table = wine.data[["alcohol", "flavanoids", "hue"]].astype("float32")
table["magnesium"] = wine.data["magnesium"].astype("Int64")
table["proline"] = wine.data["proline"].astype("Int64")
table.loc[::10, "proline"] = pd.NA  # every tenth wine was not analysed
table["grower"] = wine.target.map({0: "Ada", 1: "Ben", 2: "Cleo"})
table.index = [f"wine {number:03}" for number in range(len(table))]
table.head(3)

# %%
# In and out
# ----------
# What is missing is left out of the statistics and stays missing. Single precision
# stays single; nullable integers become nullable floats, since a z-score is no integer.

numbers = ["alcohol", "flavanoids", "hue", "magnesium", "proline"]
train, test = train_test_split(table, random_state=0, stratify=table["grower"])
scaler = StandardScaler().set_output(transform="pandas").fit(train[numbers])
scaled = scaler.transform(test[numbers])
assert scaled.index.equals(test.index)
assert scaled.isna().equals(test[numbers].isna())
pd.DataFrame({"in": test[numbers].dtypes, "out": scaled.dtypes})

# %%
# And back again, by name: some of the columns, in any order.

back = scaler.inverse_transform(scaled[["proline", "hue"]])
back.head(3).round(2)

# %%
# Text beside numbers
# -------------------
# Text is refused by a scaler, with the name of the column. A ``ColumnTransformer``
# sends each column where it belongs. The diagram says how many rows each step learned
# from.

columns = ColumnTransformer(
    [
        ("z-score", StandardScaler(), ["alcohol", "flavanoids", "hue"]),
        ("0 to 1", MinMaxScaler(), ["magnesium", "proline"]),
        ("one-hot", OneHotEncoder(sparse_output=False), ["grower"]),
    ],
    verbose_feature_names_out=False,
).set_output(transform="pandas")
columns.fit(train)

# %%
# Every column has the dtype that its own step gave it:

pd.DataFrame({"out": columns.transform(test).dtypes})

# %%
# Before and after
# ----------------
# Hue is around 1 and proline around 750; afterwards both are around 0, and a step of 1
# is one standard deviation. On the right, how many of the wines that the scaler has not
# seen are outside the range of those that it has.

ScalingDisplay.from_estimator(scaler, train[numbers], X_new=test[numbers])
plt.show()
